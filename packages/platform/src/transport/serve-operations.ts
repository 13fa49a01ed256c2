import { randomUUID } from "node:crypto";
import { allOperations, allows, type Operation, type OperationId, operations } from "@modelyard/contracts";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import {
  type BytesResult,
  canonicalJson,
  digestOf,
  type Handler,
  type Logger,
  notFound,
  type Once,
  PlatformError,
  type Principal,
  type Routes,
  runInRequest,
  type UploadedFile,
} from "../foundation/index.ts";
import { parseInput } from "./parse-request.ts";
import { isInternal, problemOf } from "./problem.ts";
import { type MultipartLimits, readMultipart } from "./read-multipart.ts";
import { sendEvents } from "./send-events.ts";

/** What the server of the platform's own API needs. */
export interface ServeOptions<Ids extends OperationId> {
  readonly routes: Routes<Ids>;
  /** Finds out who asks. */
  readonly authenticate: (authorization: string | undefined) => Promise<Principal>;
  /** Told of every request that was refused for want of a key or a scope. */
  readonly onDenied: (denied: DeniedRequest) => void;
  readonly logger: Logger;
  readonly limits: MultipartLimits & { readonly jsonBytesMax: number };
  /** Header that other processes of the family send and that never comes through the public port. */
  readonly internalHeader: string;
  /** NDJSON streams by path for other processes of the family; never reachable through the public port. */
  readonly internalStreams: Readonly<Record<string, (signal: AbortSignal) => AsyncIterable<unknown>>>;
}

/** A request that was refused. */
export interface DeniedRequest {
  readonly operation: string;
  readonly requestId: string;
  /** Code of the refusal. */
  readonly reason: "unauthenticated" | "forbidden";
  /** Who asked, when the key was good. */
  readonly principal: Principal | null;
}

type AnyHandler = Handler<Operation>;

async function* noFiles(): AsyncGenerator<UploadedFile> {}

const requestId = (request: FastifyRequest): string => request.id;

/** The path as Fastify writes it: `{name}` becomes `:name`. */
const routePath = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ":$1");

const methodsByPath = new Map<string, Set<string>>();
for (const { path, method } of allOperations) {
  methodsByPath.set(path, (methodsByPath.get(path) ?? new Set()).add(method));
}

/** Whether another method is taken at a path; parameters stand for any one segment. */
const knownPath = (url: string): boolean => {
  const segments = (url.split("?")[0] ?? "").split("/");
  return [...methodsByPath.keys()].some((path) => {
    const wanted = path.split("/");
    return wanted.length === segments.length && wanted.every((part, i) => part.startsWith("{") || part === segments[i]);
  });
};

const sendProblem = (reply: FastifyReply, error: unknown, logger: Logger): void => {
  const id = requestId(reply.request);
  const { problem, retryAfterSeconds } = problemOf(error, id);
  if (isInternal(error)) logger.error({ requestId: id, error }, "a request failed");
  if (retryAfterSeconds !== undefined) reply.header("retry-after", String(retryAfterSeconds));
  if (problem.status === 401) reply.header("www-authenticate", "Bearer");
  reply
    .code(problem.status)
    .type("application/problem+json")
    .send(
      // Clients of the Open Inference Protocol read `error`.
      reply.request.url.startsWith("/v2/") ? { ...problem, error: problem.detail } : problem,
    );
};

/**
 * The client's word that a request may come twice.
 * @throws PlatformError `invalid-input` when the key is empty, too long or not plain text.
 */
const onceOf = (
  operation: Operation,
  request: FastifyRequest,
  { params, query, body }: { readonly params: unknown; readonly query: unknown; readonly body: unknown },
): Once | undefined => {
  const key = request.headers["idempotency-key"];
  if (operation.once !== true || key === undefined) return undefined;
  if (typeof key !== "string" || !/^[\x21-\x7e]{1,200}$/.test(key)) {
    throw new PlatformError("invalid-input", "An Idempotency-Key is 1 to 200 visible ASCII characters, e.g. a UUID.");
  }
  return { key, request: digestOf(canonicalJson({ operation: operation.id, params, query, body })) };
};

const checkScope = (operation: Operation, principal: Principal): void => {
  if (allows(principal.scopes, operation.scope)) return;
  throw new PlatformError(
    "forbidden",
    `The API key "${principal.keyName}" lacks the scope ${operation.scope}. Use a key that holds it.`,
  );
};

const sendResult = async (operation: Operation, reply: FastifyReply, result: unknown): Promise<unknown> => {
  const { response } = operation;
  if (response.kind === "none") return reply.code(response.status).send();
  if (response.kind === "json")
    return reply.code(response.status).type("application/json").send(JSON.stringify(result));
  if (response.kind === "text") return reply.code(response.status).type(response.contentType).send(result);
  const { bytes, fileName, length } = result as BytesResult;
  return reply
    .code(response.status)
    .type(response.kind === "bytes" ? response.contentType : "application/octet-stream")
    .header("content-disposition", `attachment; filename="${fileName.replaceAll(/[^\w.@-]/g, "_")}"`)
    .header("content-length", String(length))
    .send(bytes);
};

type OperationOptions = Pick<ServeOptions<OperationId>, "authenticate" | "limits" | "logger" | "onDenied">;

/** Who asks, when the key may do this. @throws PlatformError `unauthenticated`, `forbidden`, told to `onDenied`. */
const admit = async (
  operation: Operation,
  request: FastifyRequest,
  { authenticate, onDenied }: OperationOptions,
): Promise<Principal | null> => {
  if (operation.scope === "public") return null;
  let principal: Principal | null = null;
  try {
    principal = await authenticate(request.headers.authorization);
    checkScope(operation, principal);
    return principal;
  } catch (error) {
    if (error instanceof PlatformError && (error.code === "unauthenticated" || error.code === "forbidden")) {
      onDenied({ operation: operation.id, requestId: requestId(request), reason: error.code, principal });
    }
    throw error;
  }
};

const readRequest = async (operation: Operation, request: FastifyRequest, limits: MultipartLimits) => {
  const params = parseInput(operation.params, request.params, "params");
  const query = parseInput(operation.query, request.query, "query");
  const lastEventId = Number(request.headers["last-event-id"] ?? 0) || 0;
  const parts = { params, query, lastEventId, requestId: requestId(request) };
  if (operation.body.kind === "json") {
    const body = parseInput(operation.body.schema, request.body ?? {}, "body");
    return { ...parts, body, files: noFiles() };
  }
  if (operation.body.kind !== "multipart") return { ...parts, body: undefined, files: noFiles() };
  const upload = await readMultipart(request.raw, limits);
  return { ...parts, body: parseInput(operation.body.schema, upload.options, "options"), files: upload.files };
};

const sendEventsOf = async (reply: FastifyReply, events: AsyncIterable<unknown>, logger: Logger): Promise<unknown> => {
  reply.hijack();
  const id = requestId(reply.request);
  await sendEvents(reply.raw, events, (error) => {
    if (isInternal(error)) logger.error({ requestId: id, error }, "a stream of events failed");
    return problemOf(error, id).problem;
  });
  // What an abandoned upload still holds must not keep the connection busy.
  reply.request.raw.resume();
  return reply;
};

const addOperation = (
  app: FastifyInstance,
  { operation, handler }: { readonly operation: Operation; readonly handler: AnyHandler },
  options: OperationOptions,
): void => {
  const answer = async (request: FastifyRequest, reply: FastifyReply, principal: Principal | null) => {
    const parsed = await readRequest(operation, request, options.limits);
    const gone = new AbortController();
    reply.raw.once("close", () => gone.abort());
    // Public operations alone have no principal, and their handlers do not read it.
    const asked = { ...parsed, body: parsed.body as never, principal: principal as Principal, signal: gone.signal };
    const result = await handler({ ...asked, once: onceOf(operation, request, parsed) });
    if (operation.response.kind !== "events") return sendResult(operation, reply, result);
    return sendEventsOf(reply, result as unknown as AsyncIterable<unknown>, options.logger);
  };
  app.route({
    method: operation.method,
    url: routePath(operation.path),
    handler: async (request, reply) => {
      const principal = await admit(operation, request, options);
      const actor = principal === null ? null : { key: principal.keyId, name: principal.keyName };
      const context = { operation: operation.id, requestId: requestId(request), actor };
      return runInRequest(context, () => answer(request, reply, principal));
    },
  });
};

const addInternalStreams = (
  app: FastifyInstance,
  options: Pick<ServeOptions<OperationId>, "internalStreams" | "internalHeader">,
): void => {
  for (const [path, open] of Object.entries(options.internalStreams)) {
    app.get(path, async (request, reply) => {
      if (request.headers[options.internalHeader] === undefined) throw notFound("path of this name");
      reply.hijack();
      const gone = new AbortController();
      reply.raw.once("close", () => gone.abort());
      reply.raw.writeHead(200, { "content-type": "application/x-ndjson" });
      for await (const value of open(gone.signal)) {
        if (reply.raw.destroyed) break;
        reply.raw.write(`${JSON.stringify(value)}\n`);
      }
      reply.raw.end();
      return reply;
    });
  }
};

/** Builds the HTTP server of the operations that the control plane answers; it does not listen yet. */
export const serveOperations = <Ids extends OperationId>(options: ServeOptions<Ids>): FastifyInstance => {
  const app = fastify({
    bodyLimit: options.limits.jsonBytesMax,
    forceCloseConnections: true,
    genReqId: (request) => {
      const given = request.headers["x-request-id"];
      return typeof given === "string" && /^[\w-]{1,64}$/.test(given) ? given : randomUUID();
    },
    // A parameter is one segment of a path; its shape is checked by the operation's schema.
    routerOptions: { maxParamLength: 200 },
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "string" }, (_, text, done) => {
    try {
      done(null, text === "" ? undefined : JSON.parse(String(text)));
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : "";
      done(new PlatformError("malformed-json", `The body is not valid JSON (${reason}). Mend it and send it again.`));
    }
  });
  app.addContentTypeParser("multipart/form-data", (_, __, done) => done(null));
  app.addHook("onSend", async (request, reply) => void reply.header("x-request-id", requestId(request)));
  app.setErrorHandler((error: Error & { code?: string }, _, reply) => {
    const known = fastifyErrors[error.code ?? ""];
    sendProblem(reply, known === undefined ? error : new PlatformError(known.code, known.detail), options.logger);
  });
  app.setNotFoundHandler((request, reply) => {
    const error = knownPath(request.url)
      ? new PlatformError(
          "method-not-allowed",
          `This path does not take ${request.method}. The API's description lists its methods.`,
        )
      : notFound("path of this name");
    sendProblem(reply, error, options.logger);
  });
  for (const id of Object.keys(options.routes) as Ids[]) {
    addOperation(app, { operation: operations[id], handler: options.routes[id] as unknown as AnyHandler }, options);
  }
  addInternalStreams(app, options);
  return app;
};

const fastifyErrors: Readonly<
  Record<string, { readonly code: "payload-too-large" | "unsupported-media-type"; readonly detail: string }>
> = {
  FST_ERR_CTP_BODY_TOO_LARGE: { code: "payload-too-large", detail: "The body is larger than this operation takes." },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    code: "unsupported-media-type",
    detail: "Send JSON with the content type application/json, or files as multipart/form-data.",
  },
};
