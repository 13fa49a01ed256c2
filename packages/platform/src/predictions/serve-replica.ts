import { createServer, type Server, type Socket } from "node:net";
import type { Signature } from "@modelyard/contracts";
import { type Logger, PlatformError } from "../foundation/index.ts";
import type { LoadedModel, Tensor } from "../runtimes/index.ts";
import { BatchQueue, type BatchQueueOptions, isEmpty, type QueuedRequest } from "./batch-queue.ts";
import type { Frame } from "./frame.ts";
import { carryFrames, type FrameConnection } from "./frame-connection.ts";
import { readInferenceRequest, writeInferenceResponse } from "./open-inference.ts";
import { readPredictInput, toPredictions } from "./predict-input.ts";

/** What a replica serves. */
export interface ReplicaModel {
  readonly endpoint: string;
  readonly model: string;
  readonly version: number;
  readonly signature: Signature;
  readonly loaded: LoadedModel;
}

/** A replica that listens. */
export interface ServedReplica extends AsyncDisposable {
  readonly server: Server;
}

interface PredictHead {
  readonly contentType: string;
  readonly requestId: string;
}

const readHead = (head: unknown): PredictHead => {
  const { contentType = "", requestId = "" } = (head ?? {}) as Partial<PredictHead>;
  return { contentType, requestId };
};

const failureHead = (error: unknown, logger: Logger): Record<string, unknown> => {
  if (error instanceof PlatformError) return { code: error.code, detail: error.message };
  logger.error({ error }, "a prediction failed");
  return { code: "internal", detail: "The replica failed on this request. Its log holds the cause." };
};

/** Answers the frames of one connection. */
class Conversation {
  readonly #served: ReplicaModel;
  readonly #queue: BatchQueue;
  readonly #logger: Logger;
  readonly #open = new Map<number, QueuedRequest | null>();
  readonly connection: FrameConnection;

  constructor(socket: Socket, parts: { served: ReplicaModel; queue: BatchQueue; logger: Logger; onClose: () => void }) {
    this.#served = parts.served;
    this.#queue = parts.queue;
    this.#logger = parts.logger;
    this.connection = carryFrames(socket, {
      onFrame: (frame) => this.#take(frame),
      onClose: () => {
        for (const request of this.#open.values()) request?.cancel();
        parts.onClose();
      },
    });
    this.connection.send("hello", 0, { head: { model: parts.served.model, version: parts.served.version } });
  }

  #take(frame: Frame): void {
    const { kind, request } = frame;
    if (kind === "cancel") {
      this.#open.get(request)?.cancel();
      this.#open.delete(request);
      return;
    }
    if (kind !== "infer" && kind !== "predict") return;
    this.#open.set(request, null);
    const answer = kind === "infer" ? this.#infer(frame) : this.#predict(frame);
    answer.then(
      (body) => this.#send(request, "answer", { body }),
      (error: unknown) => this.#send(request, "failure", { head: failureHead(error, this.#logger) }),
    );
  }

  #send(request: number, kind: "answer" | "failure", content: Partial<Frame>): void {
    if (this.#open.delete(request)) this.connection.send(kind, request, content);
  }

  #run(request: number, tensors: readonly Tensor[]): Promise<readonly Tensor[]> {
    const queued = this.#queue.add(tensors);
    if (this.#open.has(request)) this.#open.set(request, queued);
    else queued.cancel();
    return queued.outputs;
  }

  async #infer({ request, body }: Frame): Promise<Uint8Array> {
    const { loaded, endpoint, version } = this.#served;
    const parsed = readInferenceRequest(body, loaded);
    if (isEmpty(parsed.tensors)) {
      throw new PlatformError("tensor-invalid", "The request holds no rows. Send at least one.");
    }
    const outputs = await this.#run(request, parsed.tensors);
    const named = loaded.outputs.map(({ name }, i) => ({ name, tensor: outputs[i] as Tensor }));
    return writeInferenceResponse(parsed, named, { name: endpoint, version });
  }

  async #predict({ request, head, body }: Frame): Promise<Uint8Array> {
    const { signature, endpoint, model, version } = this.#served;
    const { contentType, requestId } = readHead(head);
    const input = await readPredictInput(body, contentType, signature);
    const [output] = await this.#run(request, [input]);
    const predictions = output === undefined ? [] : toPredictions(output, signature);
    return Buffer.from(JSON.stringify({ id: requestId, endpoint, model, version, predictions }));
  }
}

const drainCheckEveryMs = 20;

/**
 * Serves a loaded model on a Unix socket. Disposing announces the end to every gateway, goes on answering until they
 * have let go, and then closes.
 */
export const serveReplica = async (
  socketPath: string,
  served: ReplicaModel,
  options: BatchQueueOptions & { readonly logger: Logger; readonly drainMs: number },
): Promise<ServedReplica> => {
  const queue = new BatchQueue(served.loaded, options);
  const conversations = new Set<Conversation>();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    const conversation = new Conversation(socket, {
      served,
      queue,
      logger: options.logger,
      onClose: () => {
        sockets.delete(socket);
        conversations.delete(conversation);
      },
    });
    conversations.add(conversation);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(socketPath, resolve);
  });
  return {
    server,
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
      for (const { connection } of conversations) connection.send("draining", 0);
      const endMs = performance.now() + options.drainMs;
      while (conversations.size > 0 && performance.now() < endMs) {
        await new Promise((done) => setTimeout(done, drainCheckEveryMs));
      }
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
};
