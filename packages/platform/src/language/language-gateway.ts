import type { IncomingMessage, ServerResponse } from "node:http";
import { allows, type Operation, operations } from "@modelyard/contracts";
import { type Logger, notFound, PlatformError, type Principal } from "../foundation/index.ts";
import {
  answered,
  type EndpointPool,
  type GatewayExchange,
  type GatewayProtocol,
  readBody,
  type RoutingTable,
  sendBytes,
  sendJson,
} from "../predictions/index.ts";
import { isInternal, problemOf } from "../transport/index.ts";
import type { LanguageAnswerHead, LanguageApi, LanguageHead } from "./answer-language.ts";
import { toErrorEvent, toLanguageError } from "./error-body.ts";
import type { LanguageMetrics } from "./language-metrics.ts";
import { openStreamedAnswer } from "./stream-answer.ts";

/** What speaking OpenAI's API needs. */
export interface LanguageGatewayOptions {
  readonly routes: RoutingTable;
  readonly metrics: LanguageMetrics;
  readonly logger: Logger;
  readonly bodyBytesMax: number;
  readonly timeoutMs: number;
}

type Answer = (exchange: GatewayExchange, principal: Principal) => Promise<void> | void;

interface Route {
  readonly operation: Operation;
  readonly answer: Answer;
}

const modelPath = /^\/v1\/models\/([^/:]{1,200})$/;

/** Anthropic's clients send the key in a header of their own. */
const authorizationOf = ({ headers }: IncomingMessage): string | undefined => {
  const key = headers["x-api-key"];
  return headers.authorization ?? (typeof key === "string" ? `Bearer ${key}` : undefined);
};

const modelOf = (pieces: readonly Uint8Array[]): string => {
  let body: unknown;
  try {
    body = JSON.parse(Buffer.concat(pieces).toString());
  } catch (cause) {
    throw new PlatformError("malformed-json", "The body is not valid JSON. Mend it and send it again.", { cause });
  }
  const model = typeof body === "object" && body !== null && "model" in body ? body.model : undefined;
  if (typeof model === "string" && model !== "") return model;
  const fields = [{ path: "body.model", message: "name the endpoint that should answer" }];
  throw new PlatformError("invalid-input", "The request names no model. Put an endpoint's name into `model`.", {
    fields,
  });
};

/** Speaks OpenAI's API: finds the endpoint, checks the key, and hands bytes through in both directions. */
class LanguageGateway implements GatewayProtocol {
  readonly #options: LanguageGatewayOptions;
  readonly #routes: ReadonlyMap<string, Route>;

  constructor(options: LanguageGatewayOptions) {
    this.#options = options;
    const ask = (operation: Operation, api: LanguageApi): Route => ({
      operation,
      answer: (exchange, principal) => this.#ask(exchange, principal, api),
    });
    const routes: readonly Route[] = [
      { operation: operations["v1.models"], answer: ({ outgoing }, principal) => this.#list(outgoing, principal) },
      ask(operations["v1.chat-completions"], "chat"),
      ask(operations["v1.completions"], "completion"),
      ask(operations["v1.embeddings"], "embedding"),
      ask(operations["v1.messages"], "messages"),
      ask(operations["v1.messages-count-tokens"], "count-tokens"),
      ask(operations["v1.tokenize"], "tokenize"),
      ask(operations["v1.detokenize"], "detokenize"),
    ];
    this.#routes = new Map(routes.map((route) => [`${route.operation.method} ${route.operation.path}`, route]));
  }

  find(incoming: IncomingMessage, path: string): ((exchange: GatewayExchange) => Promise<void>) | null {
    const route = this.#routes.get(`${incoming.method ?? ""} ${path}`) ?? this.#modelRoute(incoming, path);
    return route === null ? null : (exchange) => this.#answer(exchange, route);
  }

  /** The path of one model is TensorFlow Serving's too; it is ours when the key's workspace has text behind it. */
  #modelRoute(incoming: IncomingMessage, path: string): Route | null {
    if (incoming.method !== "GET") return null;
    const [, name] = modelPath.exec(path) ?? [];
    if (name === undefined) return null;
    const pool = this.#known(incoming, decodeURIComponent(name));
    if (pool?.endpoint.language == null) return null;
    return {
      operation: operations["v1.models"],
      answer: ({ outgoing }) => sendJson(outgoing, this.#toListed(pool)),
    };
  }

  #known(incoming: IncomingMessage, name: string): EndpointPool | undefined {
    try {
      const { workspaceId } = this.#options.routes.authenticate(authorizationOf(incoming));
      return this.#options.routes.find(workspaceId, name);
    } catch {
      return undefined;
    }
  }

  async #answer(exchange: GatewayExchange, { operation, answer }: Route): Promise<void> {
    try {
      const principal = this.#options.routes.authenticate(authorizationOf(exchange.incoming));
      if (!allows(principal.scopes, operation.scope)) {
        throw new PlatformError(
          "forbidden",
          `The API key "${principal.keyName}" lacks the scope ${operation.scope}. Use a key that holds it.`,
        );
      }
      await answer(exchange, principal);
    } catch (error) {
      this.#fail(error, exchange);
    }
  }

  #list(outgoing: ServerResponse, { workspaceId }: Principal): void {
    const pools = this.#options.routes.poolsOf(workspaceId).filter(({ endpoint }) => endpoint.language !== null);
    sendJson(outgoing, { object: "list", data: pools.map((pool) => this.#toListed(pool)) });
  }

  #toListed({ endpoint }: EndpointPool): object {
    const { contextLength = 0, createdAtMs = 0 } = endpoint.language ?? {};
    return {
      id: endpoint.name,
      object: "model",
      created: Math.floor(createdAtMs / 1000),
      owned_by: "modelyard",
      context_length: contextLength,
    };
  }

  #pool(workspaceId: string, model: string): EndpointPool {
    const pool = this.#options.routes.find(workspaceId, model);
    if (pool === undefined) throw notFound(`endpoint "${model}"`);
    if (pool.endpoint.language === null && pool.endpoint.version !== null) {
      throw new PlatformError(
        "not-supported",
        `The model behind the endpoint "${model}" takes no text. Ask it at /v2/models/${model}/infer.`,
      );
    }
    return pool;
  }

  async #ask(
    { incoming, outgoing, requestId }: GatewayExchange,
    principal: Principal,
    api: LanguageApi,
  ): Promise<void> {
    const { bodyBytesMax, timeoutMs, metrics } = this.#options;
    const body = await readBody(incoming, bodyBytesMax);
    const pool = this.#pool(principal.workspaceId, modelOf(body));
    const measured = metrics.start({ endpoint: pool.endpoint.name, api, key: principal.keyName });
    const gone = new AbortController();
    outgoing.once("close", () => {
      if (!outgoing.writableFinished) gone.abort();
      measured.end(outgoing.statusCode);
    });
    using stream = openStreamedAnswer(outgoing);
    const onPart = (part: Uint8Array): void => {
      measured.part();
      stream.write(part);
    };
    const { workspaceId, keyId } = principal;
    const head: LanguageHead = { api, requestId, workspaceId, keyId, priority: "normal" };
    try {
      const frame = await pool.send(
        { kind: "language", head, body, onPart },
        {
          signal: gone.signal,
          timeoutMs: undefined,
          timeoutMaxMs: timeoutMs,
        },
      );
      const answer = answered({ ...frame, head: frame.kind === "answer" ? null : frame.head });
      if (frame.kind === "answer") {
        const head = frame.head as LanguageAnswerHead;
        measured.tokens(head);
        metrics.engine(pool.endpoint.name, head.engine);
      }
      if (stream.started) stream.end(answer.body);
      else sendBytes(outgoing, 200, answer);
    } catch (error) {
      if (!stream.started || outgoing.destroyed) throw error;
      // The client has a part already: the error is the last event.
      if (isInternal(error)) this.#options.logger.error({ requestId, error }, "a streamed answer failed");
      stream.end(toErrorEvent(problemOf(error, requestId), api === "messages" ? "anthropic" : "openai"));
    }
  }

  #fail(error: unknown, { incoming, outgoing, requestId }: GatewayExchange): void {
    if (outgoing.headersSent || outgoing.destroyed) return void outgoing.destroy();
    if (isInternal(error)) this.#options.logger.error({ requestId, error }, "a request failed");
    const dialect = incoming.url?.startsWith("/v1/messages") === true ? "anthropic" : "openai";
    const { status, body, headers } = toLanguageError(problemOf(error, requestId), dialect);
    if (!incoming.complete) {
      outgoing.setHeader("connection", "close");
      incoming.resume();
    }
    sendBytes(outgoing, status, { type: "application/problem+json", body: JSON.stringify(body), headers });
  }
}

/** OpenAI's API for the gateway. */
export const createLanguageGateway = (options: LanguageGatewayOptions): GatewayProtocol => new LanguageGateway(options);
