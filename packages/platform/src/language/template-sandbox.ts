import { Worker } from "node:worker_threads";
import { PlatformError } from "../foundation/index.ts";

/** Bounds of a template's run. */
export interface SandboxLimits {
  readonly timeoutMs: number;
  readonly memoryMegabytes: number;
  readonly outputMax: number;
  readonly waitingMax: number;
}

/** Renders the chat template of one model. */
export interface TemplateSandbox extends AsyncDisposable {
  /** @throws PlatformError `prompt-invalid` when the template refuses the values or breaks a bound. */
  render(values: Record<string, unknown>): Promise<string>;
}

interface Answer {
  readonly id: number;
  readonly text?: string;
  readonly reason?: string;
}

interface Pending {
  readonly resolve: (text: string) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

const defaults: SandboxLimits = { timeoutMs: 2000, memoryMegabytes: 64, outputMax: 8_000_000, waitingMax: 256 };

const refused = (reason: string): PlatformError =>
  new PlatformError(
    "prompt-invalid",
    `The model's chat template does not take these messages: ${reason}. Change the messages, or register the model with another template.`,
  );

/**
 * Runs a template, which came with a model from somewhere, in a thread with bounded memory and time. A thread that
 * breaks a bound is ended with everything that waits for it, and the next request gets a new one.
 */
class WorkerSandbox implements TemplateSandbox {
  readonly #source: string;
  readonly #limits: SandboxLimits;
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | null = null;
  #requests = 0;

  constructor(source: string, limits: SandboxLimits) {
    this.#source = source;
    this.#limits = limits;
  }

  render(values: Record<string, unknown>): Promise<string> {
    if (this.#pending.size >= this.#limits.waitingMax) {
      return Promise.reject(
        new PlatformError("queue-full", "Too many prompts are being made. Try again shortly.", {
          retryAfterSeconds: 1,
        }),
      );
    }
    const id = ++this.#requests;
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const { timeoutMs } = this.#limits;
    const timer = setTimeout(() => void this.#stop(`it took longer than ${timeoutMs} ms`), timeoutMs);
    this.#pending.set(id, { resolve, reject, timer });
    this.#running().postMessage({ id, values }, []);
    return promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop("the model is being unloaded");
  }

  #running(): Worker {
    if (this.#worker !== null) return this.#worker;
    const { memoryMegabytes, outputMax } = this.#limits;
    const worker = new Worker(new URL("./template-worker.ts", import.meta.url), {
      workerData: { source: this.#source, outputMax },
      resourceLimits: { maxOldGenerationSizeMb: memoryMegabytes, maxYoungGenerationSizeMb: 16 },
      env: {},
    });
    worker.on("message", (answer: Answer) => this.#settle(answer));
    worker.on("error", () => void this.#stop("it needs too much memory", worker));
    worker.on("exit", () => void this.#stop("it ended early", worker));
    worker.unref();
    this.#worker = worker;
    return worker;
  }

  #settle({ id, text, reason }: Answer): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    clearTimeout(pending.timer);
    if (text === undefined) pending.reject(refused(reason ?? "no reason given"));
    else pending.resolve(text);
  }

  async #stop(reason: string, which: Worker | null = this.#worker): Promise<void> {
    if (which === null || which !== this.#worker) return;
    this.#worker = null;
    for (const id of [...this.#pending.keys()]) this.#settle({ id, reason });
    await which.terminate();
  }
}

/** Opens a sandbox for a template; it costs nothing until it renders. */
export const openTemplateSandbox = (source: string, limits: Partial<SandboxLimits> = {}): TemplateSandbox =>
  new WorkerSandbox(source, { ...defaults, ...limits });
