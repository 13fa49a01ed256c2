import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  status as grpcStatus,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import type { EventEmitter } from "node:events";
import { allows, errorCatalogue, type Operation, type OperationId, operations } from "@modelyard/contracts";
import { type Clock, notFound, PlatformError, type Principal } from "../foundation/index.ts";
import { isInternal, problemOf } from "../transport/index.ts";
import { answered, checkVersion } from "./answer-predictions.ts";
import type { AskControlPlane } from "./ask-control-plane.ts";
import { toModelConfig, toModelMetadata } from "./describe-endpoint.ts";
import type { EndpointPool } from "./endpoint-pool.ts";
import { targetOf } from "./grpc-inference.ts";
import { type GrpcMethod, healthMethods, inferenceMethods } from "./grpc-protocol.ts";
import { dialects } from "./protocol-dialect.ts";
import type { GatewayOptions } from "./serve-gateway.ts";

/** What the gRPC server needs. */
export interface GrpcOptions extends Pick<
  GatewayOptions,
  "routes" | "metrics" | "logger" | "tls" | "bodyBytesMax" | "batchRowsMax" | "dialect"
> {
  readonly clock: Clock;
  /** Asks the control plane, for what it alone may do. */
  readonly askControlPlane: AskControlPlane;
}

type Message = Record<string, unknown>;
type Call =
  | ServerUnaryCall<unknown, unknown>
  | ServerWritableStream<unknown, unknown>
  | ServerDuplexStream<unknown, unknown>;

/** Messages that pass without being read. */
const raw: ReadonlySet<string> = new Set(["ModelInfer", "ModelStreamInfer"]);
const same = (bytes: Buffer): Buffer => bytes;
/** Requests of one stream that are under way at a time; more are not read yet. */
const streamOpenMax = 64;

const definitionOf = (methods: readonly GrpcMethod[]): ServiceDefinition =>
  Object.fromEntries(
    methods.map(({ name, path, request, response, requestStream, responseStream }) => [
      name,
      {
        path,
        requestStream,
        responseStream,
        requestSerialize: same,
        requestDeserialize: raw.has(name) ? same : request.decode,
        responseSerialize: name === "ModelInfer" ? same : response.encode,
        responseDeserialize: same,
      },
    ]),
  );

const text = (message: Message, field: string): string => {
  const value = message[field];
  return typeof value === "string" ? value : "";
};

/** Answers the calls of the Open Inference Protocol over gRPC. */
class GrpcGateway {
  readonly #options: GrpcOptions;

  constructor(options: GrpcOptions) {
    this.#options = options;
  }

  /** Unary methods of the inference service, by name. */
  readonly unary: Readonly<Record<string, (call: ServerUnaryCall<Message, unknown>) => Promise<object> | object>> = {
    ServerLive: () => ({ live: true }),
    ServerReady: () => ({ ready: this.#options.routes.version !== null }),
    ServerMetadata: () => dialects[this.#options.dialect].server,
    ModelReady: (call) => ({ ready: this.#poolOf(call, "v2.model-ready").ready }),
    ModelMetadata: (call) => toModelMetadata(this.#poolOf(call, "v2.model").endpoint),
    ModelConfig: (call) => ({
      config: toModelConfig(this.#poolOf(call, "v2.model-config").endpoint, this.#options.batchRowsMax),
    }),
    ModelStatistics: async (call) => {
      const all = text(call.request, "name") === "";
      const pools = all
        ? this.#options.routes.poolsOf(this.#allow(call, "v2.stats").workspaceId)
        : [this.#poolOf(call, "v2.model-stats")];
      return { model_stats: await Promise.all(pools.map((pool) => pool.statistics())) };
    },
    RepositoryIndex: async (call) => ({
      models: await this.#ask(call, "v2.repository-index", { ready: call.request["ready"] === true }),
    }),
    RepositoryModelLoad: async (call) => {
      if (Object.keys(call.request["parameters"] ?? {}).length > 0) {
        throw new PlatformError(
          "invalid-input",
          "Neither configurations nor files are taken. Register the model first.",
        );
      }
      await this.#ask(call, "v2.repository-load", {});
      return {};
    },
    RepositoryModelUnload: async (call) => {
      await this.#ask(call, "v2.repository-unload", {});
      return {};
    },
  };

  /** Answers one infer message; the answer's bytes are handed on as they come. */
  async infer(call: Call, body: Buffer, signal: AbortSignal): Promise<Uint8Array> {
    const startMs = performance.now();
    const principal = this.#allow(call, "v2.infer");
    const { name, version } = targetOf(body);
    const pool = this.#pool(principal, name, version);
    const { metrics } = this.#options;
    try {
      const timeoutMs = this.#timeoutOf(call);
      const head =
        timeoutMs === undefined ? null : { deadline: performance.timeOrigin + performance.now() + timeoutMs };
      const frame = await pool.send({ kind: "grpc", head, body: [body] }, { signal, timeoutMs });
      const { body: answer } = answered(frame);
      metrics.observe(name, 200, (performance.now() - startMs) / 1000);
      return answer as Uint8Array;
    } catch (error) {
      metrics.observe(name, problemOf(error, "").problem.status, (performance.now() - startMs) / 1000);
      throw error;
    }
  }

  /** A failure as gRPC tells it. */
  failure(error: unknown, model: string): { code: number; details: string; metadata: Metadata } {
    if (isInternal(error)) this.#options.logger.error({ error }, "a gRPC call failed");
    const { problem, retryAfterSeconds } = problemOf(error, "");
    const code = problem.code as keyof typeof errorCatalogue;
    const metadata = new Metadata();
    metadata.set("error-code", code);
    if (retryAfterSeconds !== undefined) metadata.set("retry-after", String(retryAfterSeconds));
    const { [errorCatalogue[code].grpc as keyof typeof grpcStatus]: number } = grpcStatus;
    return { code: number, details: dialects[this.#options.dialect].message(code, problem.detail, model), metadata };
  }

  #timeoutOf(call: Call): number | undefined {
    const deadline = Number(call.getDeadline());
    return Number.isFinite(deadline) ? Math.max(deadline - this.#options.clock.nowMs(), 1) : undefined;
  }

  #authorization(call: Call): string | undefined {
    const [given] = call.metadata.get("authorization");
    return typeof given === "string" ? given : undefined;
  }

  #allow(call: Call, id: OperationId): Principal {
    const { scope }: Operation = operations[id];
    const principal = this.#options.routes.authenticate(this.#authorization(call));
    if (allows(principal.scopes, scope)) return principal;
    throw new PlatformError(
      "forbidden",
      `The API key "${principal.keyName}" lacks the scope ${scope}. Use a key that holds it.`,
    );
  }

  #pool(principal: Principal, name: string, version: string): EndpointPool {
    const pool = this.#options.routes.find(principal.workspaceId, name);
    if (pool === undefined) throw notFound(`endpoint "${name.slice(0, 100)}"`);
    checkVersion(pool, version === "" ? {} : { version });
    return pool;
  }

  #poolOf(call: ServerUnaryCall<Message, unknown>, id: OperationId): EndpointPool {
    return this.#pool(this.#allow(call, id), text(call.request, "name"), text(call.request, "version"));
  }

  #ask(call: ServerUnaryCall<Message, unknown>, id: OperationId, body: object): Promise<unknown> {
    const { path }: Operation = operations[id];
    return this.#options.askControlPlane({
      path: path.replace("{name}", encodeURIComponent(text(call.request, "model_name"))),
      authorization: this.#authorization(call),
      body,
    });
  }
}

const abortedWith = (call: EventEmitter): AbortSignal => {
  const gone = new AbortController();
  call.on("cancelled", () => gone.abort());
  return gone.signal;
};

const inferMethod = inferenceMethods.find(({ name }) => name === "ModelInfer");
/** The stream wraps the answer in a message, for which it is read once more. */
const inferResponseOf = (bytes: Uint8Array): object => inferMethod?.response.decode(bytes) ?? {};

/** Answers every message of a stream in its order; a failure is a message too, and the stream goes on. */
const streamInfer = async (gateway: GrpcGateway, call: ServerDuplexStream<unknown, unknown>): Promise<void> => {
  const signal = abortedWith(call);
  const open: Promise<void>[] = [];
  let last: Promise<void> = Promise.resolve();
  for await (const body of call as AsyncIterable<Buffer>) {
    const answer = gateway.infer(call, body, signal).then(
      (bytes) => ({ infer_response: inferResponseOf(bytes) }),
      (error: unknown) => ({ error_message: gateway.failure(error, "").details }),
    );
    last = Promise.all([answer, last]).then(([message]) => void (signal.aborted || call.write(message)));
    open.push(last);
    if (open.length > streamOpenMax) await open.shift();
  }
  await last;
  call.end();
};

type Done = (error: object | null, answer?: unknown) => void;

/** Answers a unary call once, with what came out or why not. */
const settle = async (done: Done, answer: () => unknown, failure: (error: unknown) => object): Promise<void> => {
  let message: unknown;
  try {
    message = await answer();
  } catch (error) {
    return done(failure(error));
  }
  done(null, message);
};

const inferenceImplementation = (gateway: GrpcGateway): UntypedServiceImplementation => {
  const handlers: UntypedServiceImplementation = {
    ModelInfer: (call: ServerUnaryCall<unknown, unknown>, done: Done) => {
      const body = call.request as Buffer;
      const answer = (): Promise<Uint8Array> => gateway.infer(call, body, abortedWith(call));
      void settle(done, answer, (error) => gateway.failure(error, ""));
    },
    ModelStreamInfer: (call: ServerDuplexStream<unknown, unknown>) => {
      streamInfer(gateway, call).catch((error: unknown) => call.emit("error", gateway.failure(error, "")));
    },
  };
  for (const [name, answer] of Object.entries(gateway.unary)) {
    handlers[name] = (call: ServerUnaryCall<Message, unknown>, done: Done): void => {
      const model = text(call.request, "name") || text(call.request, "model_name");
      void settle(
        done,
        () => answer(call),
        (error) => gateway.failure(error, model),
      );
    };
  }
  return handlers;
};

const watchEveryMs = 1000;

/** Health of the server as a whole and of the inference service; other services are not known. */
const healthImplementation = (options: GrpcOptions): UntypedServiceImplementation => {
  const statusOf = (service: string): string | null => {
    if (service !== "" && service !== "inference.GRPCInferenceService") return null;
    return options.routes.version === null ? "NOT_SERVING" : "SERVING";
  };
  return {
    Check: (call: ServerUnaryCall<Message, unknown>, done: Done) => {
      const status = statusOf(text(call.request, "service"));
      if (status === null) done({ code: grpcStatus.NOT_FOUND, details: "There is no such service here." });
      else done(null, { status });
    },
    Watch: (call: ServerWritableStream<Message, unknown>) => {
      let told: string | undefined;
      const tell = (): void => {
        const status = statusOf(text(call.request, "service")) ?? "SERVICE_UNKNOWN";
        if (status !== told) call.write({ status });
        told = status;
      };
      tell();
      const timer = setInterval(tell, watchEveryMs);
      call.on("cancelled", () => {
        clearInterval(timer);
        call.end();
      });
    },
  };
};

const credentialsOf = ({ tls }: Pick<GrpcOptions, "tls">): ServerCredentials =>
  tls === null
    ? ServerCredentials.createInsecure()
    : ServerCredentials.createSsl(null, [{ private_key: tls.key, cert_chain: tls.cert }]);

/** A gRPC server that listens. */
export interface ServedGrpc extends AsyncDisposable {
  readonly port: number;
}

const closeWithinMs = 10_000;

/**
 * Serves the Open Inference Protocol over gRPC. Disposing lets calls under way end.
 * @throws PlatformError `port-in-use`.
 */
export const serveGrpc = async (
  address: { readonly host: string; readonly port: number },
  options: GrpcOptions,
): Promise<ServedGrpc> => {
  const server = new Server({
    "grpc.max_receive_message_length": options.bodyBytesMax,
    "grpc.max_send_message_length": -1,
    "grpc.max_concurrent_streams": 1000,
  });
  server.addService(definitionOf(inferenceMethods), inferenceImplementation(new GrpcGateway(options)));
  server.addService(definitionOf(healthMethods), healthImplementation(options));
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${host}:${address.port}`, credentialsOf(options), (cause, bound) => {
      if (cause === null) return resolve(bound);
      reject(
        new PlatformError(
          "port-in-use",
          `Port ${address.port} cannot be opened for gRPC. Choose another with the setting grpcPort.`,
          { cause },
        ),
      );
    });
  });
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      const timer = setTimeout(() => server.forceShutdown(), closeWithinMs);
      await new Promise<void>((done) => server.tryShutdown(() => done()));
      clearTimeout(timer);
    },
  };
};
