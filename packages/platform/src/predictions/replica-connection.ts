import { connect } from "node:net";
import type { Frame, FrameKind } from "./frame.ts";
import { carryFrames, type FrameConnection } from "./frame-connection.ts";

/** The replica went away before it answered; predictions change nothing, so another may be asked. */
export class ReplicaGone extends Error {
  override readonly name = "ReplicaGone";
  /** Whether the client has a part of its answer already: then nobody else may be asked. */
  readonly started: boolean;

  constructor(started = false) {
    super();
    this.started = started;
  }
}

/** A request for a replica. */
export interface ReplicaRequest {
  readonly kind: Extract<FrameKind, "infer" | "predict" | "tensorflow" | "statistics" | "language" | "grpc">;
  readonly head: unknown;
  readonly body: readonly Uint8Array[];
  /** Takes the parts of a streamed answer as they come. */
  readonly onPart?: (body: Uint8Array) => void;
}

interface Pending {
  readonly onPart: ReplicaRequest["onPart"];
  started: boolean;
  readonly resolve: (frame: Frame) => void;
  readonly reject: (error: Error) => void;
}

const reconnectMinMs = 20;
const reconnectMaxMs = 500;

/** A lasting connection to one replica: it comes back by itself when the replica does. */
export class ReplicaConnection implements Disposable {
  readonly id: string;
  readonly #address: string;
  readonly #onUsable: () => void;
  readonly #pending = new Map<number, Pending>();
  #connection: FrameConnection | null = null;
  #usable = false;
  #requests = 0;
  #reconnectMs = reconnectMinMs;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** @param onUsable Told whenever requests can be sent (again). */
  constructor(replica: { readonly id: string; readonly address: string }, onUsable: () => void) {
    this.id = replica.id;
    this.#address = replica.address;
    this.#onUsable = onUsable;
    this.#open();
  }

  /** Whether requests can be sent now. */
  get usable(): boolean {
    return this.#usable;
  }

  /** Requests that are not answered yet. */
  get load(): number {
    return this.#pending.size;
  }

  /**
   * Sends a request.
   * @throws ReplicaGone (from the promise) when the replica ends before it answers.
   */
  send(request: ReplicaRequest): { readonly answer: Promise<Frame>; cancel(): void } {
    const number = (this.#requests = (this.#requests + 1) >>> 0 || 1);
    const { promise, resolve, reject } = Promise.withResolvers<Frame>();
    if (this.#connection === null) {
      reject(new ReplicaGone());
      return { answer: promise, cancel: () => {} };
    }
    this.#pending.set(number, { resolve, reject, onPart: request.onPart, started: false });
    this.#connection.send(request.kind, number, { head: request.head, body: request.body });
    return {
      answer: promise,
      cancel: () => {
        if (this.#pending.delete(number)) this.#connection?.send("cancel", number);
        this.#closeWhenDrained();
      },
    };
  }

  /** Lets go of the replica once it has answered everything. */
  [Symbol.dispose](): void {
    this.#closed = true;
    this.#usable = false;
    clearTimeout(this.#timer);
    this.#closeWhenDrained();
  }

  #open(): void {
    const socket = connect(this.#address);
    const connection = carryFrames(socket, {
      onFrame: (frame) => this.#take(frame, connection),
      onClose: () => this.#lost(connection),
    });
  }

  #take(frame: Frame, connection: FrameConnection): void {
    if (frame.kind === "hello") {
      if (this.#closed) return connection.end();
      this.#connection = connection;
      this.#usable = true;
      this.#reconnectMs = reconnectMinMs;
      return this.#onUsable();
    }
    if (frame.kind === "draining") {
      this.#usable = false;
      this.#closeWhenDrained();
      return;
    }
    const pending = this.#pending.get(frame.request);
    if (frame.kind === "part") {
      if (pending !== undefined) pending.started = true;
      return pending?.onPart?.(frame.body);
    }
    this.#pending.delete(frame.request);
    pending?.resolve(frame);
    this.#closeWhenDrained();
  }

  #closeWhenDrained(): void {
    if (!this.#usable && this.#pending.size === 0) this.#connection?.end();
  }

  #lost(connection: FrameConnection): void {
    if (this.#connection === connection) this.#connection = null;
    this.#usable = false;
    const lost = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject, started } of lost) reject(new ReplicaGone(started));
    if (this.#closed) return;
    this.#timer = setTimeout(() => this.#open(), this.#reconnectMs);
    this.#reconnectMs = Math.min(this.#reconnectMs * 2, reconnectMaxMs);
  }
}
