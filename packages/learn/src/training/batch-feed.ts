import type { BatchArrays, BatchRequest, BatchSource } from "./batch-source.ts";

interface Reading {
  readonly step: number;
  readonly arrays: BatchArrays;
  readonly done: Promise<void>;
}

/** What a feed needs to know of an epoch. */
export interface FeedOptions {
  readonly steps: number;
  /** The samples of a step, and its generator. */
  readonly request: (step: number) => BatchRequest;
  /** Arrays for a batch that is read ahead. */
  readonly arrays: (samples: number) => BatchArrays;
}

const copyAll = (from: BatchArrays, to: BatchArrays): void => {
  for (const group of ["inputs", "targets", "sampleWeights"] as const) {
    for (const [index, values] of to[group].entries()) values.set(from[group][index] ?? values);
  }
};

/** Brings the batches of one epoch from a source, reading ahead as far as the source allows. */
export class BatchFeed implements AsyncDisposable {
  readonly #source: BatchSource;
  readonly #options: FeedOptions;
  readonly #ahead: Reading[] = [];

  constructor(source: BatchSource, options: FeedOptions) {
    this.#source = source;
    this.#options = options;
  }

  /** Fills the arrays of a step; a promise only where the source takes its time. */
  fill(step: number, into: BatchArrays): Promise<void> | undefined {
    const prefetch = this.#source.prefetch ?? 0;
    if (prefetch > 0) return this.#take(step, into, prefetch);
    return this.#source.read(this.#options.request(step), into) ?? undefined;
  }

  async #take(step: number, into: BatchArrays, prefetch: number): Promise<void> {
    this.#readUpTo(step, step);
    const reading = this.#ahead.shift();
    if (reading === undefined) return;
    // The batches after this one are read while this one is awaited and trained on.
    this.#readUpTo(step + 1, step + prefetch);
    await reading.done;
    copyAll(reading.arrays, into);
  }

  #readUpTo(from: number, last: number): void {
    const begun = this.#ahead.at(-1)?.step ?? from - 1;
    for (let step = begun + 1; step <= Math.min(last, this.#options.steps - 1); step++) {
      const request = this.#options.request(step);
      const arrays = this.#options.arrays(request.rows.length);
      const done = Promise.resolve().then(() => this.#source.read(request, arrays));
      // A failure is told to whom awaits it; until then it must not end the process.
      done.catch(() => undefined);
      this.#ahead.push({ step, arrays, done });
    }
  }

  /** Waits for what is still being read, so that nothing writes after the training has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#ahead.map(({ done }) => done));
  }
}
