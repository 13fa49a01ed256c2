import { createServer, type Server, type Socket } from "node:net";
import { type Logger, PlatformError } from "../foundation/index.ts";
import { FrameAnswerer, type ReplicaModel } from "./answer-frames.ts";
import type { BatchQueueOptions, QueuedRequest } from "./batch-queue.ts";
import type { Frame, FrameContent } from "./frame.ts";
import { carryFrames, type FrameConnection } from "./frame-connection.ts";

/** A replica that listens. */
export interface ServedReplica extends AsyncDisposable {
  readonly server: Server;
}

const failureHead = (error: unknown, logger: Logger): Record<string, unknown> => {
  if (error instanceof PlatformError) {
    return { code: error.code, detail: error.message, retryAfterSeconds: error.retryAfterSeconds };
  }
  logger.error({ error }, "a prediction failed");
  return { code: "internal", detail: "The replica failed on this request. Its log holds the cause." };
};

const asked: ReadonlySet<Frame["kind"]> = new Set(["infer", "predict", "tensorflow", "statistics"]);

/** Answers the frames of one connection. */
class Conversation {
  readonly #answerer: FrameAnswerer;
  readonly #logger: Logger;
  readonly #open = new Map<number, QueuedRequest | null>();
  readonly connection: FrameConnection;

  constructor(
    socket: Socket,
    parts: { served: ReplicaModel; answerer: FrameAnswerer; logger: Logger; onClose: () => void },
  ) {
    this.#answerer = parts.answerer;
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
    const onQueued = (queued: QueuedRequest): void => {
      if (this.#open.has(request)) this.#open.set(request, queued);
      else queued.cancel();
    };
    this.#answerer.answer(frame, onQueued).then(
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
 * Serves a loaded model on a Unix socket. Disposing announces the end to every gateway, goes on answering until they
 * have let go, and then closes.
 */
export const serveReplica = async (
  socketPath: string,
  served: ReplicaModel,
  options: BatchQueueOptions & { readonly bodyBytesMax: number; readonly logger: Logger; readonly drainMs: number },
): Promise<ServedReplica> => {
  const answerer = new FrameAnswerer(served, options);
  const conversations = new Set<Conversation>();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    const conversation = new Conversation(socket, {
      served,
      answerer,
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
