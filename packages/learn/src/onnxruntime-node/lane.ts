import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";
import { LearnError } from "../errors.ts";
import type { Binding, Session, TensorData } from "../training/executor.ts";
import { type LaneFailure, type LaneRequest, word, wordCount } from "./lane-protocol.ts";
import type { SessionOptions } from "./session.ts";

const ended = "The executor's thread ended. Start the training again from its last checkpoint.";

interface Thread {
  readonly worker: Worker;
  readonly port: MessagePort;
  readonly words: Int32Array<SharedArrayBuffer>;
  /** Why it runs no more. */
  ended: unknown;
}

/**
 * A thread that runs sessions at the same time as others. It starts with its first session and ends with its last, so
 * that an executor holds nothing open. Requests are answered one after the other.
 */
export class LaneThread {
  #thread: Thread | undefined;
  #queue: Promise<void> = Promise.resolve();
  #sessions = 0;
  #ids = 0;

  /** @throws LearnError `executor-failed` when ONNX Runtime refuses the graph. */
  async load(model: Uint8Array, options: SessionOptions): Promise<Session> {
    const session = ++this.#ids;
    this.#sessions += 1;
    try {
      await this.#request({ kind: "load", session, model, options });
    } catch (error) {
      await this.#leave();
      throw error;
    }
    return {
      bind: (inputs, outputs) => this.#bind(session, inputs, outputs),
      run: () => Promise.reject(new LearnError("executor-failed", "A lane only runs what is bound.")),
      [Symbol.asyncDispose]: async () => {
        await this.#request({ kind: "release", session });
        await this.#leave();
      },
    };
  }

  #bind(
    session: number,
    inputs: Readonly<Record<string, TensorData>>,
    outputs: Readonly<Record<string, TensorData>>,
  ): Binding {
    const binding = ++this.#ids;
    // Read by the thread before the run that follows.
    this.#post({ kind: "bind", session, binding, inputs, outputs });
    return { run: () => this.#enqueue(binding) };
  }

  async #leave(): Promise<void> {
    this.#sessions -= 1;
    if (this.#sessions > 0) return;
    const thread = this.#thread;
    this.#thread = undefined;
    await thread?.worker.terminate();
  }

  #request(message: LaneRequest): Promise<void> {
    this.#post(message);
    return this.#enqueue(0);
  }

  #post(message: LaneRequest): void {
    const { port } = this.#start();
    port.postMessage(message);
  }

  #enqueue(binding: number): Promise<void> {
    const answer = this.#queue.then(() => this.#wake(binding));
    this.#queue = answer.catch(() => undefined);
    return answer;
  }

  async #wake(binding: number): Promise<void> {
    const thread = this.#start();
    const { worker, port, words } = thread;
    const answered = Atomics.load(words, word.answered);
    Atomics.store(words, word.binding, binding);
    Atomics.add(words, word.requested, 1);
    Atomics.notify(words, word.requested);
    worker.ref();
    await Atomics.waitAsync(words, word.answered, answered).value;
    worker.unref();
    if (thread.ended !== undefined) throw new LearnError("executor-failed", ended, { cause: thread.ended });
    const failure = receiveMessageOnPort(port)?.message as LaneFailure | undefined;
    if (failure !== undefined) throw new LearnError("executor-failed", failure.message);
  }

  #start(): Thread {
    if (this.#thread !== undefined) return this.#thread;
    const words = new Int32Array(new SharedArrayBuffer(wordCount * Int32Array.BYTES_PER_ELEMENT));
    const { port1: port, port2 } = new MessageChannel();
    const script = new URL("./lane-thread.ts", import.meta.url);
    const worker = new Worker(script, { workerData: { words, port: port2 }, transferList: [port2] });
    const thread: Thread = { worker, port, words, ended: undefined };
    const end = (cause: unknown): void => {
      thread.ended ??= cause;
      Atomics.add(words, word.answered, 1);
      Atomics.notify(words, word.answered);
    };
    worker.on("error", end).on("exit", (code) => end(`exit code ${code}`));
    worker.unref();
    this.#thread = thread;
    return thread;
  }
}
