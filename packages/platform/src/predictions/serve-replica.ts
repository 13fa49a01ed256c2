import { createServer, type Server, type Socket } from "node:net";
import { type Logger, PlatformError } from "../foundation/index.ts";
import { FrameAnswerer, type ReplicaModel } from "./answer-frames.ts";
import type { BatchQueueOptions } from "./batch-queue.ts";
import type { Frame, FrameContent } from "./frame.ts";
import { carryFrames, type FrameConnection } from "./frame-connection.ts";

/** A replica that listens. */
export interface ServedReplica extends AsyncDisposable {
  readonly server: Server;
}

/** Something under way that can be called off. */
interface Cancelable {
  cancel(): void;
}

/** Answers what a gateway asks a replica. */
export interface ReplicaAnswerer {
  /**
   * @param onUnderWay Told what to call off when the client goes away.
   * @param part Sends a part of a streamed answer.
   */
  answer(frame: Frame, onUnderWay: (work: Cancelable) => void, part: (body: Uint8Array) => void): Promise<FrameContent>;
}

/** What a replica says of itself, and who answers for it. */
export interface AnsweringReplica {
  readonly model: string;
  readonly version: number;
  readonly answerer: ReplicaAnswerer;
}

const failureHead = (error: unknown, logger: Logger): Record<string, unknown> => {
  if (error instanceof PlatformError) {
    return { code: error.code, detail: error.message, retryAfterSeconds: error.retryAfterSeconds };
  }
  logger.error({ error }, "a prediction failed");
  return { code: "internal", detail: "The replica failed on this request. Its log holds the cause." };
};

const asked: ReadonlySet<Frame["kind"]> = new Set(["infer", "predict", "tensorflow", "statistics", "language", "grpc"]);

/** Answers the frames of one connection. */
class Conversation {
  readonly #answerer: ReplicaAnswerer;
  readonly #logger: Logger;
  readonly #open = new Map<number, Cancelable | null>();
  readonly connection: FrameConnection;

  constructor(socket: Socket, parts: { served: AnsweringReplica; logger: Logger; onClose: () => void }) {
    this.#answerer = parts.served.answerer;
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
    if (!asked.has(kind)) return;
    this.#open.set(request, null);
    const onUnderWay = (work: Cancelable): void => {
      if (this.#open.has(request)) this.#open.set(request, work);
      else work.cancel();
    };
    const part = (body: Uint8Array): void => {
      if (this.#open.has(request)) this.connection.send("part", request, { body });
    };
    this.#answerer.answer(frame, onUnderWay, part).then(
      (content) => this.#send(request, "answer", content),
      (error: unknown) => this.#send(request, "failure", { head: failureHead(error, this.#logger) }),
    );
  }

  #send(request: number, kind: "answer" | "failure", content: FrameContent): void {
    if (this.#open.delete(request)) this.connection.send(kind, request, content);
  }
}

const drainCheckEveryMs = 20;

/**
 * Serves an answerer on a Unix socket. Disposing announces the end to every gateway, goes on answering until they
 * have let go, and then closes.
 */
export const serveAnswerer = async (
  socketPath: string,
  served: AnsweringReplica,
  options: { readonly logger: Logger; readonly drainMs: number },
): Promise<ServedReplica> => {
  const conversations = new Set<Conversation>();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    const conversation = new Conversation(socket, {
      served,
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

/** Serves a loaded model that takes tensors; see {@link serveAnswerer}. */
export const serveReplica = (
  socketPath: string,
  served: ReplicaModel,
  options: BatchQueueOptions & { readonly bodyBytesMax: number; readonly logger: Logger; readonly drainMs: number },
): Promise<ServedReplica> => {
  const answerer = new FrameAnswerer(served, options);
  return serveAnswerer(socketPath, { model: served.model, version: served.version, answerer }, options);
};
