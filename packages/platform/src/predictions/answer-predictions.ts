import type { IncomingMessage } from "node:http";
import { isErrorCode } from "@modelyard/contracts";
import { PlatformError } from "../foundation/index.ts";
import type { AnswerHead, Encoding, InferHead } from "./answer-frames.ts";
import type { EndpointPool } from "./endpoint-pool.ts";
import type { Frame } from "./frame.ts";
import { type Content } from "./send-answer.ts";

const timeoutHeader = "x-request-timeout-ms";

/** Content types that tools send with JSON or tensors; what a body is, its own headers and bytes say. */
const bodyTypes = new Set(["application/json", "application/octet-stream", "application/x-www-form-urlencoded"]);

const encodingOf = (incoming: IncomingMessage): Encoding | undefined => {
  const given = incoming.headers["content-encoding"];
  if (given === undefined || given === "identity") return undefined;
  if (given === "gzip" || given === "deflate") return given;
  throw new PlatformError(
    "unsupported-media-type",
    "The body's content encoding is not known. Send it plain, or compressed as gzip or deflate.",
  );
};

const acceptOf = (incoming: IncomingMessage): Encoding | undefined => {
  const given = incoming.headers["accept-encoding"];
  if (typeof given !== "string") return undefined;
  if (/\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/.test(given)) return "gzip";
  return /\bdeflate\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/.test(given) ? "deflate" : undefined;
};

const headerBytesOf = (incoming: IncomingMessage): number | undefined => {
  const given = incoming.headers["inference-header-content-length"];
  if (given === undefined) return undefined;
  if (typeof given === "string" && /^\d{1,10}$/.test(given)) return Number(given);
  throw new PlatformError(
    "invalid-input",
    "Inference-Header-Content-Length must be the number of bytes of the JSON before the tensors.",
  );
};

const checkBodyType = (incoming: IncomingMessage): void => {
  const type = incoming.headers["content-type"];
  if (type === undefined || bodyTypes.has(type)) return;
  if (bodyTypes.has((type.split(";", 1)[0] ?? "").trim().toLowerCase())) return;
  throw new PlatformError(
    "unsupported-media-type",
    "Send JSON as application/json, or JSON and tensors as application/octet-stream with Inference-Header-Content-Length.",
  );
};

/** Milliseconds that the client gives the request; `undefined` when it does not say. */
export const timeoutOf = (incoming: IncomingMessage): number | undefined => {
  const given = incoming.headers[timeoutHeader];
  if (given === undefined) return undefined;
  if (typeof given === "string" && /^\d{1,9}$/.test(given) && Number(given) > 0) return Number(given);
  throw new PlatformError("invalid-input", `${timeoutHeader} must be a whole number of milliseconds from 1.`);
};

/** What of an inference request's headers the replica must know; `null` when its body is plain JSON. */
export const inferHeadOf = (incoming: IncomingMessage, timeoutMs: number | undefined): InferHead | null => {
  checkBodyType(incoming);
  const headerBytes = headerBytesOf(incoming);
  const encoding = encodingOf(incoming);
  const accept = acceptOf(incoming);
  if (headerBytes === undefined && encoding === undefined && accept === undefined && timeoutMs === undefined)
    return null;
  return {
    ...(headerBytes === undefined ? {} : { headerBytes }),
    ...(encoding === undefined ? {} : { encoding }),
    ...(accept === undefined ? {} : { accept }),
    ...(timeoutMs === undefined ? {} : { deadline: performance.timeOrigin + performance.now() + timeoutMs }),
  };
};

/** The body of an answer. @throws PlatformError what the replica refused or failed with. */
export const answered = (frame: Frame): Content => {
  if (frame.kind === "answer") {
    if (frame.head === null) return { type: "application/json", body: frame.body };
    const { headerBytes, encoding } = frame.head as AnswerHead;
    const headers = {
      ...(headerBytes === undefined ? {} : { "Inference-Header-Content-Length": headerBytes }),
      ...(encoding === undefined ? {} : { "content-encoding": encoding }),
    };
    const type = headerBytes === undefined ? "application/json" : "application/octet-stream";
    return { type, body: frame.body, headers };
  }
  const { code, detail, retryAfterSeconds } = (frame.head ?? {}) as {
    readonly code?: unknown;
    readonly detail?: unknown;
    readonly retryAfterSeconds?: unknown;
  };
  if (typeof code !== "string" || !isErrorCode(code) || typeof detail !== "string") {
    throw new PlatformError("replica-failed", "The replica gave no valid answer. Try again.");
  }
  throw new PlatformError(code, detail, typeof retryAfterSeconds === "number" ? { retryAfterSeconds } : {});
};

/** Refuses a version that the endpoint does not serve now. @throws PlatformError `not-found`. */
export const checkVersion = ({ endpoint }: EndpointPool, params: Readonly<Record<string, string>>): void => {
  const { version, label } = params;
  const served = endpoint.version === null ? "none" : String(endpoint.version);
  if (version !== undefined && version !== served) {
    throw new PlatformError(
      "not-found",
      `The endpoint "${endpoint.name}" does not serve version ${version}; it serves ${served}. Leave the version out to get what is served.`,
    );
  }
  if (label !== undefined && endpoint.labels[label] !== endpoint.version) {
    throw new PlatformError(
      "not-found",
      `The endpoint "${endpoint.name}" does not serve the version that "${label}" names. Leave the label out to get what is served.`,
    );
  }
};
