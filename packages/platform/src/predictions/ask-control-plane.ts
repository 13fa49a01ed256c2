import { request } from "node:http";
import { isErrorCode, Problem } from "@modelyard/contracts";
import { PlatformError } from "../foundation/index.ts";

/** A request to the control plane in a caller's name. */
interface ControlPlaneRequest {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: object;
}

/**
 * Posts JSON to the control plane and gives its answer's JSON.
 * @throws PlatformError what it refused with; `control-plane-unavailable` when it is away.
 */
export type AskControlPlane = (asked: ControlPlaneRequest) => Promise<unknown>;

const withinMs = 30_000;

const answerOf = (status: number, content: string): unknown => {
  const value: unknown = JSON.parse(content);
  if (status < 300) return value;
  const { code, detail } = Problem.parse(value);
  throw new PlatformError(isErrorCode(code) ? code : "internal", detail);
};

/** Makes the way to the control plane over its socket. */
export const createAskControlPlane =
  (socketPath: string): AskControlPlane =>
  ({ path, authorization, body }) => {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const away = (cause: unknown): void =>
      reject(
        new PlatformError("control-plane-unavailable", "The control plane is restarting. Try again in a second.", {
          retryAfterSeconds: 1,
          cause,
        }),
      );
    const headers = { "content-type": "application/json", ...(authorization === undefined ? {} : { authorization }) };
    const asked = request({ socketPath, path, method: "POST", headers, timeout: withinMs }, (response) => {
      let content = "";
      response.setEncoding("utf8");
      response.on("data", (part: string) => (content += part));
      response.once("error", away);
      response.once("end", () => {
        try {
          resolve(answerOf(response.statusCode ?? 500, content));
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      });
    });
    asked.once("timeout", () => asked.destroy(new Error("no answer in time")));
    asked.once("error", away);
    asked.end(JSON.stringify(body));
    return promise;
  };
