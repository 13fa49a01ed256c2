import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { allows, isErrorCode, type Operation, operations } from "@modelyard/contracts";
import { codeVersion, type Logger, notFound, PlatformError } from "../foundation/index.ts";
import { isInternal, problemOf } from "../transport/index.ts";
import type { EndpointPool } from "./endpoint-pool.ts";
import type { Frame } from "./frame.ts";
import type { GatewayMetrics } from "./gateway-metrics.ts";
import type { PassThrough } from "./pass-through.ts";
import type { RoutingTable } from "./routing-table.ts";

/** What the public server needs. */
export interface GatewayOptions {
  readonly routes: RoutingTable;
  readonly passThrough: PassThrough;
  readonly metrics: GatewayMetrics;
  readonly logger: Logger;
  readonly bodyBytesMax: number;
  /** Whether the control plane answers now. */
  readonly controlPlaneUp: () => boolean;
}

interface Exchange {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly requestId: string;
  /** The endpoint's name, when the path holds one. */
  readonly name: string;
}

type Answer = (exchange: Exchange) => Promise<void>;

interface GatewayRoute {
  readonly operation: Operation;
  readonly answer: Answer;
}

const modelPath = /^\/v2\/models\/([a-z0-9][a-z0-9._-]{0,62})(\/infer|\/ready)?$/;
const predictPath = /^\/api\/v1\/endpoints\/([a-z0-9][a-z0-9._-]{0,62})\/predict$/;

const sendBytes = (
  outgoing: ServerResponse,
  status: number,
  content: { readonly type: string; readonly body: Uint8Array | string },
): void => {
  outgoing.writeHead(status, {
    "content-type": content.type,
    "content-length": typeof content.body === "string" ? Buffer.byteLength(content.body) : content.body.byteLength,
  });
  outgoing.end(content.body);
};

const sendJson = (outgoing: ServerResponse, value: unknown, status = 200): void =>
  sendBytes(outgoing, status, { type: "application/json", body: JSON.stringify(value) });

const tooLarge = (bytesMax: number): PlatformError =>
  new PlatformError("payload-too-large", `The body is larger than ${bytesMax} bytes. Send fewer inputs at once.`);

const readBody = (incoming: IncomingMessage, bytesMax: number): Promise<Uint8Array> => {
  const declared = Number(incoming.headers["content-length"] ?? 0);
  if (declared > bytesMax) return Promise.reject(tooLarge(bytesMax));
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    incoming.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > bytesMax) {
        reject(tooLarge(bytesMax));
        incoming.removeAllListeners("data").resume();
      } else {
        chunks.push(chunk);
      }
    });
    incoming.once("end", () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, bytes)));
    incoming.once("error", reject);
  });
};

const answered = (frame: Frame): Uint8Array => {
  if (frame.kind === "answer") return frame.body;
  const { code, detail } = (frame.head ?? {}) as { readonly code?: unknown; readonly detail?: unknown };
  if (typeof code !== "string" || !isErrorCode(code) || typeof detail !== "string") {
    throw new PlatformError("replica-failed", "The replica gave no valid answer. Try again.");
  }
  throw new PlatformError(code, detail);
};

/** The public server: answers predictions itself and passes the rest to the control plane. */
class Gateway {
  readonly #options: GatewayOptions;
  readonly #fixed: ReadonlyMap<string, GatewayRoute>;

  constructor(options: GatewayOptions) {
    this.#options = options;
    const { routes, metrics } = options;
    const fixed: readonly GatewayRoute[] = [
      { operation: operations["system.healthz"], answer: async ({ outgoing }) => sendJson(outgoing, { status: "ok" }) },
      { operation: operations["v2.live"], answer: async ({ outgoing }) => sendJson(outgoing, { live: true }) },
      { operation: operations["system.readyz"], answer: (exchange) => this.#readyz(exchange) },
      {
        operation: operations["v2.ready"],
        answer: async ({ outgoing }) => {
          const ready = routes.version !== null;
          sendJson(outgoing, { live: true, ready }, ready ? 200 : 503);
        },
      },
      {
        operation: operations["v2.server"],
        answer: async ({ outgoing }) => sendJson(outgoing, { name: "modelyard", version: codeVersion, extensions: [] }),
      },
      {
        operation: operations["system.metrics"],
        answer: async ({ outgoing }) =>
          sendBytes(outgoing, 200, {
            type: operations["system.metrics"].response.contentType,
            body: await metrics.render(),
          }),
      },
    ];
    this.#fixed = new Map(fixed.map((route) => [`${route.operation.method} ${route.operation.path}`, route]));
  }

  /** Answers one request; never throws. */
  async handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const given = incoming.headers["x-request-id"];
    const requestId = typeof given === "string" && /^[\w-]{1,64}$/.test(given) ? given : randomUUID();
    try {
      const url = incoming.url ?? "/";
      const end = url.indexOf("?");
      const path = end < 0 ? url : url.slice(0, end);
      const found = this.#find(incoming.method ?? "", path);
      if (found === null) {
        incoming.headers["x-request-id"] = requestId;
        return await this.#options.passThrough.pass(incoming, outgoing);
      }
      outgoing.setHeader("x-request-id", requestId);
      await found.route.answer({ incoming, outgoing, requestId, name: found.name });
    } catch (error) {
      this.#fail(error, { incoming, outgoing, requestId, name: "" });
    }
  }

  #find(method: string, path: string): { readonly route: GatewayRoute; readonly name: string } | null {
    const predict = predictPath.exec(path);
    if (predict !== null && method === "POST") {
      const route = {
        operation: operations["endpoints.predict"],
        answer: (exchange: Exchange) => this.#predict(exchange, "predict"),
      };
      return { route, name: predict[1] ?? "" };
    }
    const model = modelPath.exec(path);
    if (model !== null) {
      const route = this.#modelRoute(method, model[2] ?? "");
      if (route !== null) return { route, name: model[1] ?? "" };
    }
    const fixed = this.#fixed.get(`${method} ${path}`);
    if (fixed === undefined) return null;
    if (fixed.operation.scope === "public") return { route: fixed, name: "" };
    const answer: Answer = async (exchange) => {
      this.#allow(exchange, fixed.operation);
      await fixed.answer(exchange);
    };
    return { route: { operation: fixed.operation, answer }, name: "" };
  }

  #modelRoute(method: string, action: string): GatewayRoute | null {
    if (method === "POST" && action === "/infer") {
      return { operation: operations["v2.infer"], answer: (exchange) => this.#predict(exchange, "infer") };
    }
    if (method !== "GET" || action === "/infer") return null;
    if (action === "/ready")
      return { operation: operations["v2.model-ready"], answer: (exchange) => this.#modelReady(exchange) };
    return { operation: operations["v2.model"], answer: (exchange) => this.#modelMetadata(exchange) };
  }

  #allow({ incoming }: Exchange, operation: Operation): string {
    const principal = this.#options.routes.authenticate(incoming.headers.authorization);
    if (allows(principal.scopes, operation.scope)) return principal.workspaceId;
    throw new PlatformError(
      "forbidden",
      `The API key "${principal.keyName}" lacks the scope ${operation.scope}. Use a key that holds it.`,
    );
  }

  #pool(exchange: Exchange, operation: Operation): EndpointPool {
    const pool = this.#options.routes.find(this.#allow(exchange, operation), exchange.name);
    if (pool === undefined) throw notFound(`endpoint "${exchange.name}"`);
    return pool;
  }

  async #predict(exchange: Exchange, kind: "infer" | "predict"): Promise<void> {
    const startMs = performance.now();
    const { incoming, outgoing, requestId, name } = exchange;
    const pool = this.#pool(exchange, operations[kind === "infer" ? "v2.infer" : "endpoints.predict"]);
    const { metrics } = this.#options;
    outgoing.once("finish", () => metrics.observe(name, outgoing.statusCode, (performance.now() - startMs) / 1000));
    const body = await readBody(incoming, this.#options.bodyBytesMax);
    const gone = new AbortController();
    outgoing.once("close", () => {
      if (!outgoing.writableFinished) gone.abort();
    });
    const head = kind === "infer" ? null : { contentType: incoming.headers["content-type"] ?? "", requestId };
    const frame = await pool.send({ kind, head, body }, gone.signal);
    sendBytes(outgoing, 200, { type: "application/json", body: answered(frame) });
  }

  async #modelReady(exchange: Exchange): Promise<void> {
    const pool = this.#pool(exchange, operations["v2.model-ready"]);
    sendJson(exchange.outgoing, { name: exchange.name, ready: pool.ready }, pool.ready ? 200 : 503);
  }

  async #modelMetadata(exchange: Exchange): Promise<void> {
    const { endpoint } = this.#pool(exchange, operations["v2.model"]);
    sendJson(exchange.outgoing, {
      name: endpoint.name,
      versions: endpoint.version === null ? [] : [String(endpoint.version)],
      platform: "onnxruntime_onnx",
      inputs: endpoint.inputs,
      outputs: endpoint.outputs,
    });
  }

  async #readyz({ outgoing }: Exchange): Promise<void> {
    if (this.#options.routes.version === null) {
      throw new PlatformError("control-plane-unavailable", "No routes are known yet. Try again in a second.", {
        retryAfterSeconds: 1,
      });
    }
    sendJson(outgoing, { status: "ready", controlPlane: this.#options.controlPlaneUp() ? "up" : "down" });
  }

  #fail(error: unknown, { incoming, outgoing, requestId }: Exchange): void {
    // The client has gone, or has part of an answer already: a cut connection is all that can be said.
    if (outgoing.headersSent || outgoing.destroyed) return void outgoing.destroy();
    if (isInternal(error)) this.#options.logger.error({ requestId, error }, "a request failed");
    const { problem, retryAfterSeconds } = problemOf(error, requestId);
    outgoing.setHeader("x-request-id", requestId);
    if (retryAfterSeconds !== undefined) outgoing.setHeader("retry-after", String(retryAfterSeconds));
    if (problem.status === 401) outgoing.setHeader("www-authenticate", "Bearer");
    // Clients of the Open Inference Protocol read `error`.
    const body = incoming.url?.startsWith("/v2") === true ? { ...problem, error: problem.detail } : problem;
    if (!incoming.complete) {
      outgoing.setHeader("connection", "close");
      incoming.resume();
    }
    sendBytes(outgoing, problem.status, { type: "application/problem+json", body: JSON.stringify(body) });
  }
}

/** Builds the public server; it does not listen yet. */
export const serveGateway = (options: GatewayOptions): Server => {
  const gateway = new Gateway(options);
  const server = createServer({ keepAliveTimeout: 65_000, requestTimeout: 0 }, (incoming, outgoing) => {
    void gateway.handle(incoming, outgoing);
  });
  server.headersTimeout = 30_000;
  return server;
};
