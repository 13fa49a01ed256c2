import { PlatformError } from "../foundation/index.ts";
import { elementsOf, type LoadedModel, type Tensor } from "../runtimes/index.ts";

interface Waiting {
  readonly tensors: readonly Tensor[];
  readonly rows: number;
  readonly key: string;
  readonly resolve: (outputs: readonly Tensor[]) => void;
  readonly reject: (error: unknown) => void;
  canceled: boolean;
}

/** Bounds of a queue. */
export interface BatchQueueOptions {
  /** Most rows that are joined into one run. */
  readonly rowsMax: number;
  /** Most requests that may wait. */
  readonly queueMax: number;
}

/** A request in the queue. */
export interface QueuedRequest {
  readonly outputs: Promise<readonly Tensor[]>;
  /** Takes it out when nobody waits for it any more; without effect once it runs. */
  cancel(): void;
}

/** Requests join only when they have the same shapes apart from the rows. */
const keyOf = (tensors: readonly Tensor[]): string => tensors.map(({ shape }) => shape.slice(1).join("x")).join("|");

/**
 * Joins what waits while the model is busy into the next run: nothing ever waits for company, so one request alone is
 * as fast as without a queue, and many together share a run.
 */
export class BatchQueue {
  readonly #model: LoadedModel;
  readonly #options: BatchQueueOptions;
  #waiting: Waiting[] = [];
  #running = false;

  constructor(model: LoadedModel, options: BatchQueueOptions) {
    this.#model = model;
    this.#options = options;
  }

  /** @throws PlatformError `queue-full` when as many wait as may. */
  add(tensors: readonly Tensor[]): QueuedRequest {
    if (this.#waiting.length >= this.#options.queueMax) {
      throw new PlatformError("queue-full", "The replica's queue is full. Try again shortly, or run more replicas.", {
        retryAfterSeconds: 1,
      });
    }
    const { promise, resolve, reject } = Promise.withResolvers<readonly Tensor[]>();
    const rows = tensors[0]?.shape[0] ?? 1;
    const waiting: Waiting = { tensors, rows, key: keyOf(tensors), resolve, reject, canceled: false };
    this.#waiting.push(waiting);
    if (!this.#running) {
      this.#running = true;
      // Frames that came with this one in the same read join it.
      setImmediate(() => void this.#drain());
    }
    return {
      outputs: promise,
      cancel: () => {
        waiting.canceled = true;
      },
    };
  }

  #take(): Waiting[] {
    const { rowsMax } = this.#options;
    const batch: Waiting[] = [];
    const rest: Waiting[] = [];
    let rows = 0;
    for (const request of this.#waiting) {
      if (request.canceled) continue;
      const [first] = batch;
      const fits =
        first === undefined || (this.#model.batchable && request.key === first.key && rows + request.rows <= rowsMax);
      if (fits && rest.length === 0) {
        batch.push(request);
        rows += request.rows;
      } else {
        rest.push(request);
      }
    }
    this.#waiting = rest;
    return batch;
  }

  async #drain(): Promise<void> {
    for (let batch = this.#take(); batch.length > 0; batch = this.#take()) {
      await this.#run(batch);
      // Answers are sent and new frames read before the next run blocks the thread.
      await new Promise((done) => setImmediate(done));
    }
    this.#running = false;
    if (this.#waiting.length > 0) {
      this.#running = true;
      void this.#drain();
    }
  }

  async #run(batch: readonly Waiting[]): Promise<void> {
    try {
      const answers = await this.#model.run(batch.map(({ tensors }) => tensors));
      for (const [i, request] of batch.entries()) request.resolve(answers[i] ?? []);
    } catch (error) {
      // One bad request must not take the others of its batch with it.
      if (batch.length === 1) return batch[0]?.reject(error);
      for (const request of batch) await this.#run([request]);
    }
  }
}

/** Whether a request holds any rows at all. */
export const isEmpty = (tensors: readonly Tensor[]): boolean => tensors.some(({ shape }) => elementsOf(shape) === 0);
