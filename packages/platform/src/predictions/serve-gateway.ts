import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer, type Server as TlsServer } from "node:https";
import { allows, type ModelStatistics, type Operation, operations } from "@modelyard/contracts";
import { type Logger, notFound, PlatformError, type Principal } from "../foundation/index.ts";
import { isInternal, type ProblemAnswer, problemOf, type TlsMaterial } from "../transport/index.ts";
import { answered, checkVersion, inferHeadOf, timeoutOf } from "./answer-predictions.ts";
import { toModelConfig, toModelMetadata, toTensorFlowMetadata, toTensorFlowStatus } from "./describe-endpoint.ts";
import { describeOpenApi } from "./describe-open-api.ts";
import type { EndpointPool } from "./endpoint-pool.ts";
import type { GatewayProtocol } from "./gateway-protocol.ts";
import type { GatewayMetrics } from "./gateway-metrics.ts";
import { type GatewayOperationId, matchPath, type PathMatch } from "./gateway-paths.ts";
import type { HostGuard } from "./host-guard.ts";
import type { PassThrough } from "./pass-through.ts";
import { dialects, type DialectName } from "./protocol-dialect.ts";
import { readBody } from "./read-body.ts";
import type { ReplicaRequest } from "./replica-connection.ts";
import type { RoutingTable } from "./routing-table.ts";
import { sendBytes, sendJson } from "./send-answer.ts";

/** What the public server needs. */
export interface GatewayOptions {
  readonly routes: RoutingTable;
  readonly passThrough: PassThrough;
  readonly metrics: GatewayMetrics;
  readonly logger: Logger;
  /** Refuses requests that were not meant for this server. */
  readonly guard: HostGuard;
  /** Certificate and key when the port speaks TLS. */
  readonly tls: TlsMaterial | null;
  readonly bodyBytesMax: number;
  readonly batchRowsMax: number;
  readonly dialect: DialectName;
  /** Asked in their order before the gateway's own paths. */
  readonly protocols: readonly GatewayProtocol[];
  /** Whether the control plane answers now. */
  readonly controlPlaneUp: () => boolean;
}

interface Exchange {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly requestId: string;
  readonly match: PathMatch;
}

const pathOf = (url: string): string => {
  const end = url.indexOf("?");
  return end < 0 ? url : url.slice(0, end);
};

type Answer = (exchange: Exchange) => Promise<void> | void;

/** The public server: answers predictions itself and passes the rest to the control plane. */
class Gateway {
  readonly #options: GatewayOptions;
  readonly #answers: Readonly<Record<GatewayOperationId, Answer>>;

  constructor(options: GatewayOptions) {
    this.#options = options;
    const predict =
      (kind: ReplicaRequest["kind"]): Answer =>
      (exchange) =>
        this.#predict(exchange, kind);
    const show =
      (describe: (pool: EndpointPool) => unknown): Answer =>
      (exchange) =>
        sendJson(exchange.outgoing, describe(this.#pool(exchange)));
    const metadata = show(({ endpoint }) => toModelMetadata(endpoint));
    const config = show(({ endpoint }) => toModelConfig(endpoint, options.batchRowsMax));
    const ready: Answer = (exchange) => this.#modelReady(exchange);
    const statistics: Answer = (exchange) => this.#statistics(exchange, [this.#pool(exchange)]);
    this.#answers = {
      "v2.infer": predict("infer"),
      "v2.version-infer": predict("infer"),
      "endpoints.predict": predict("predict"),
      "tensorflow.predict": predict("tensorflow"),
      "tensorflow.version-predict": predict("tensorflow"),
      "tensorflow.label-predict": predict("tensorflow"),
      "tensorflow.status": show((pool) => toTensorFlowStatus(pool.endpoint, pool.ready)),
      "tensorflow.metadata": show(({ endpoint }) => toTensorFlowMetadata(endpoint)),
      "v2.model": metadata,
      "v2.version": metadata,
      "v2.model-config": config,
      "v2.version-config": config,
      "v2.model-ready": ready,
      "v2.version-ready": ready,
      "v2.model-stats": statistics,
      "v2.version-stats": statistics,
      "v2.stats": (exchange) => this.#statistics(exchange, options.routes.poolsOf(this.#allow(exchange).workspaceId)),
      "v2.model-openapi": show(({ endpoint }) => describeOpenApi(endpoint)),
      "v2.server": ({ outgoing }) => sendJson(outgoing, dialects[options.dialect].server),
      "v2.live": ({ outgoing }) => sendJson(outgoing, { live: true }),
      "v2.ready": ({ outgoing }) => this.#ready(outgoing),
      "system.healthz": ({ outgoing }) => sendJson(outgoing, { status: "ok" }),
      "system.readyz": ({ outgoing }) => this.#readyz(outgoing),
      "system.metrics": (exchange) => this.#metrics(exchange),
    };
  }

  /** Answers one request; never throws. */
  async handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const given = incoming.headers["x-request-id"];
    const requestId = typeof given === "string" && /^[\w-]{1,64}$/.test(given) ? given : randomUUID();
    const url = incoming.url ?? "/";
    const path = pathOf(url);
    const match = matchPath(incoming.method ?? "", path);
    try {
      this.#options.guard(incoming.headers);
      const spoken = this.#options.protocols.map((protocol) => protocol.find(incoming, path)).find(Boolean);
      if (spoken) {
        outgoing.setHeader("x-request-id", requestId);
        return await spoken({ incoming, outgoing, requestId });
      }
      if (match === null) {
        incoming.headers["x-request-id"] = requestId;
        // Triton's clients name no content type for the JSON of its extensions.
        if (url.startsWith("/v2/")) incoming.headers["content-type"] ??= "application/json";
        return await this.#options.passThrough.pass(incoming, outgoing);
      }
      outgoing.setHeader("x-request-id", requestId);
      await this.#answers[match.id]({ incoming, outgoing, requestId, match });
    } catch (error) {
      this.#fail(error, { incoming, outgoing, requestId, model: match?.params["name"] ?? "" });
    }
  }

  #allow({ incoming, match }: Exchange): Principal {
    const { operation }: { readonly operation: Operation } = match;
    const principal = this.#options.routes.authenticate(incoming.headers.authorization);
    if (allows(principal.scopes, operation.scope)) return principal;
    throw new PlatformError(
      "forbidden",
      `The API key "${principal.keyName}" lacks the scope ${operation.scope}. Use a key that holds it.`,
    );
  }

  /** The endpoint of the path, in the workspace of the key. */
  #pool(exchange: Exchange): EndpointPool {
    const { params } = exchange.match;
    const { name = "" } = params;
    const pool = this.#options.routes.find(this.#allow(exchange).workspaceId, name);
    if (pool === undefined) throw notFound(`endpoint "${name}"`);
    checkVersion(pool, params);
    return pool;
  }

  async #predict(exchange: Exchange, kind: ReplicaRequest["kind"]): Promise<void> {
    const startMs = performance.now();
    const { incoming, outgoing, requestId } = exchange;
    const { metrics, bodyBytesMax } = this.#options;
    const pool = this.#pool(exchange);
    const { name } = pool.endpoint;
    outgoing.once("finish", () => metrics.observe(name, outgoing.statusCode, (performance.now() - startMs) / 1000));
    const timeoutMs = timeoutOf(incoming);
    const head =
      kind === "predict"
        ? { contentType: incoming.headers["content-type"] ?? "", requestId }
        : inferHeadOf(incoming, timeoutMs);
    const body = await readBody(incoming, bodyBytesMax);
    const gone = new AbortController();
    outgoing.once("close", () => {
      if (!outgoing.writableFinished) gone.abort();
    });
    const frame = await pool.send({ kind, head, body }, { signal: gone.signal, timeoutMs });
    sendBytes(outgoing, 200, answered(frame));
  }

  #modelReady(exchange: Exchange): void {
    const { ready, endpoint } = this.#pool(exchange);
    const dialect = dialects[this.#options.dialect];
    sendJson(exchange.outgoing, { name: endpoint.name, ready }, ready ? 200 : dialect.status("endpoint-not-ready"));
  }

  async #statistics({ outgoing }: Exchange, pools: readonly EndpointPool[]): Promise<void> {
    const list: ModelStatistics[] = await Promise.all(pools.map((pool) => pool.statistics()));
    sendJson(outgoing, { model_stats: list });
  }

  async #metrics(exchange: Exchange): Promise<void> {
    this.#allow(exchange);
    const body = await this.#options.metrics.render();
    sendBytes(exchange.outgoing, 200, { type: operations["system.metrics"].response.contentType, body });
  }

  #ready(outgoing: ServerResponse): void {
    const ready = this.#options.routes.version !== null;
    sendJson(
      outgoing,
      { live: true, ready },
      ready ? 200 : dialects[this.#options.dialect].status("endpoint-not-ready"),
    );
  }

  #readyz(outgoing: ServerResponse): void {
    if (this.#options.routes.version === null) {
      throw new PlatformError("control-plane-unavailable", "No routes are known yet. Try again in a second.", {
        retryAfterSeconds: 1,
      });
    }
    sendJson(outgoing, { status: "ready", controlPlane: this.#options.controlPlaneUp() ? "up" : "down" });
  }

  /** Clients of the inference protocols read `error`; their servers have statuses of their own. */
  #problemFor(url: string, { problem }: ProblemAnswer, model: string): Record<string, unknown> & { status: number } {
    if (url.startsWith("/v1/models/")) return { ...problem, error: problem.detail };
    if (!url.startsWith("/v2")) return problem;
    const dialect = dialects[this.#options.dialect];
    const code = problem.code as Parameters<typeof dialect.status>[0];
    const detail = dialect.message(code, problem.detail, model);
    return { ...problem, status: dialect.status(code), detail, error: detail };
  }

  #fail(error: unknown, { incoming, outgoing, requestId, model }: Failed): void {
    // The client has gone, or has part of an answer already: a cut connection is all that can be said.
    if (outgoing.headersSent || outgoing.destroyed) return void outgoing.destroy();
    if (isInternal(error)) this.#options.logger.error({ requestId, error }, "a request failed");
    const answer = problemOf(error, requestId);
    const body = this.#problemFor(incoming.url ?? "", answer, model);
    outgoing.setHeader("x-request-id", requestId);
    if (answer.retryAfterSeconds !== undefined) outgoing.setHeader("retry-after", String(answer.retryAfterSeconds));
    if (body.status === 401) outgoing.setHeader("www-authenticate", "Bearer");
    if (!incoming.complete) {
      outgoing.setHeader("connection", "close");
      incoming.resume();
    }
    sendBytes(outgoing, body.status, { type: "application/problem+json", body: JSON.stringify(body) });
  }
}

interface Failed {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly requestId: string;
  /** Name of the model in the path; empty when there is none. */
  readonly model: string;
}

/** Builds the public server; it does not listen yet. */
export const serveGateway = (options: GatewayOptions): Server | TlsServer => {
  const gateway = new Gateway(options);
  const settings = { keepAliveTimeout: 65_000, requestTimeout: 0, headersTimeout: 30_000 };
  const answer = (incoming: IncomingMessage, outgoing: ServerResponse): void => void gateway.handle(incoming, outgoing);
  return options.tls === null
    ? createServer(settings, answer)
    : createTlsServer({ ...settings, ...options.tls, minVersion: "TLSv1.2" }, answer);
};
