import { PlatformError } from "../foundation/index.ts";
import type { LoadedModel, Tensor } from "../runtimes/index.ts";
import { RunTimeEstimate } from "./run-time-estimate.ts";

/** Why a batch was sent: it was full, the next request did not fit, its window was over, or nothing else waited. */
export type ReleaseReason = "full" | "shape" | "window" | "idle";

/** A run that was made, for counting. */
export interface BatchRun {
  readonly requests: number;
  readonly rows: number;
  readonly reason: ReleaseReason;
  readonly runMs: number;
}

/** Bounds of a queue. */
export interface BatchQueueOptions {
  /** Most rows that are joined into one run. */
  readonly rowsMax: number;
  /** Most requests that may wait. */
  readonly queueMax: number;
  /** Longest time in milliseconds that a request waits for company while the model is idle; 0 never waits. */
  readonly windowMs: number;
  /** Told of every run. */
  readonly onRun?: (run: BatchRun) => void;
}

/** What waits for a run. */
export interface QueueEntry {
  readonly tensors: readonly Tensor[];
  /** 1 goes first; 0, no wish, goes last. */
  readonly priority: number;
  /** When the answer is no longer wanted, on the clock of `performance.now()`. */
  readonly deadlineMs: number;
}

/** What a run made of one request. */
export interface QueueResult {
  readonly outputs: readonly Tensor[];
  readonly queueMs: number;
  readonly runMs: number;
  /** Rows of the whole run. */
  readonly rows: number;
}

/** A request in the queue. */
export interface QueuedRequest {
  readonly result: Promise<QueueResult>;
  /** Takes it out when nobody waits for it any more; without effect once it runs. Whether it was still waiting. */
  cancel(): boolean;
}

interface Waiting extends QueueEntry {
  readonly rows: number;
  readonly rank: number;
  readonly key: string;
  readonly sinceMs: number;
  readonly resolve: (result: QueueResult) => void;
  readonly reject: (error: unknown) => void;
}

/** Requests join only when they have the same shapes apart from the rows. */
const keyOf = (tensors: readonly Tensor[]): string => tensors.map(({ shape }) => shape.slice(1).join("x")).join("|");

const full = (): PlatformError =>
  new PlatformError("queue-full", "The replica's queue is full. Try again shortly, or run more replicas.", {
    retryAfterSeconds: 1,
  });

const late = (): PlatformError =>
  new PlatformError(
    "deadline-exceeded",
    "The request's deadline passed while it waited. Allow more time, or send fewer rows.",
    {
      retryAfterSeconds: 1,
    },
  );

const unreachable = (expectedMs: number, leftMs: number): PlatformError =>
  new PlatformError(
    "deadline-unreachable",
    `The answer is expected in ${Math.ceil(expectedMs)} ms, but the deadline is in ${Math.max(Math.floor(leftMs), 0)} ms. ` +
      "Try again when the queue is shorter, or allow more time.",
    { retryAfterSeconds: 1 },
  );

/**
 * Joins what waits while the model is busy into the next run: nothing waits for company unless a window is set, so one
 * request alone is as fast as without a queue, and many together share a run.
 */
export class BatchQueue {
  readonly #model: LoadedModel;
  readonly #options: BatchQueueOptions;
  readonly #estimate = new RunTimeEstimate();
  #waiting: Waiting[] = [];
  #running = 0;
  #scheduled = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(model: LoadedModel, options: BatchQueueOptions) {
    this.#model = model;
    this.#options = options;
  }

  /** Requests that wait. */
  get length(): number {
    return this.#waiting.length;
  }

  /** @throws PlatformError `queue-full` when as many wait as may, `deadline-unreachable` when waiting has no point. */
  add(entry: QueueEntry): QueuedRequest {
    const { tensors, priority, deadlineMs } = entry;
    const { promise, resolve, reject } = Promise.withResolvers<QueueResult>();
    const sinceMs = performance.now();
    const rows = tensors[0]?.shape[0] ?? 1;
    const rank = priority === 0 ? Number.POSITIVE_INFINITY : priority;
    if (this.#waiting.length >= this.#options.queueMax) throw full();
    const expectedMs = deadlineMs === Number.POSITIVE_INFINITY ? null : this.#expectedMs(rows, rank);
    if (expectedMs !== null && sinceMs + expectedMs > deadlineMs) throw unreachable(expectedMs, deadlineMs - sinceMs);
    const waiting: Waiting = {
      tensors,
      priority,
      deadlineMs,
      rows,
      rank,
      key: keyOf(tensors),
      sinceMs,
      resolve,
      reject,
    };
    this.#insert(waiting);
    this.#schedule();
    return {
      result: promise,
      cancel: () => {
        const at = this.#waiting.indexOf(waiting);
        if (at >= 0) this.#waiting.splice(at, 1);
        return at >= 0;
      },
    };
  }

  /** Behind everything of the same rank: first come, first served. */
  #insert(waiting: Waiting): void {
    let at = this.#waiting.length;
    while (at > 0 && (this.#waiting[at - 1]?.rank ?? 0) > waiting.rank) at--;
    this.#waiting.splice(at, 0, waiting);
  }

  /** Milliseconds until the answer, from what runs and waits before it; `null` while run times are not known. */
  #expectedMs(rows: number, rank: number): number | null {
    const { rowsMax } = this.#options;
    const own = this.#estimate.predict(Math.min(rows, rowsMax));
    const whole = this.#estimate.predict(rowsMax);
    if (own === null || whole === null) return null;
    let ahead = 0;
    for (const other of this.#waiting) if (other.rank <= rank) ahead += other.rows;
    const batches = Math.floor(ahead / rowsMax) + this.#running / 2;
    return own + (batches * whole) / this.#model.instances;
  }

  #schedule(): void {
    if (this.#scheduled || this.#running >= this.#model.instances) return;
    this.#scheduled = true;
    // Frames that came with this one in the same read join it; answers are sent before the next run blocks the thread.
    setImmediate(() => {
      this.#scheduled = false;
      this.#pump();
    });
  }

  #pump(): void {
    clearTimeout(this.#timer);
    while (this.#running < this.#model.instances && this.#waiting.length > 0) {
      const { batch, reason } = this.#take();
      if (batch.length === 0) continue;
      const [{ sinceMs }] = batch as [Waiting];
      const waitMs = reason === "idle" ? sinceMs + this.#options.windowMs - performance.now() : 0;
      if (waitMs > 0) {
        this.#waiting.unshift(...batch);
        this.#timer = setTimeout(() => this.#pump(), waitMs);
        return;
      }
      this.#running++;
      void this.#run(batch, reason === "idle" && this.#options.windowMs > 0 ? "window" : reason).finally(() => {
        this.#running--;
        this.#schedule();
      });
    }
  }

  /** The next batch; what is too late is told so on the way. */
  #take(): { readonly batch: Waiting[]; readonly reason: ReleaseReason } {
    const nowMs = performance.now();
    const batch: Waiting[] = [];
    let rows = 0;
    let taken = 0;
    let reason: ReleaseReason = "idle";
    for (const request of this.#waiting) {
      const [first] = batch;
      if (request.deadlineMs <= nowMs) request.reject(late());
      else if (
        first === undefined ||
        (this.#model.batchable && request.key === first.key && rows + request.rows <= this.#options.rowsMax)
      ) {
        batch.push(request);
        rows += request.rows;
      } else {
        reason = request.key === first.key && this.#model.batchable ? "full" : "shape";
        break;
      }
      taken++;
    }
    this.#waiting.splice(0, taken);
    return { batch, reason: rows >= this.#options.rowsMax || !this.#model.batchable ? "full" : reason };
  }

  async #run(batch: readonly Waiting[], reason: ReleaseReason): Promise<void> {
    const startMs = performance.now();
    const rows = batch.reduce((sum, request) => sum + request.rows, 0);
    try {
      const answers = await this.#model.run(batch.map(({ tensors }) => tensors));
      const runMs = performance.now() - startMs;
      this.#estimate.observe(rows, runMs);
      this.#options.onRun?.({ requests: batch.length, rows, reason, runMs });
      for (const [i, request] of batch.entries()) {
        request.resolve({ outputs: answers[i] ?? [], queueMs: startMs - request.sinceMs, runMs, rows });
      }
    } catch (error) {
      // One bad request must not take the others of its batch with it.
      if (batch.length === 1) return batch[0]?.reject(error);
      for (const request of batch) await this.#run([request], reason);
    }
  }
}
