import type { ModelStatistics } from "@modelyard/contracts";

interface Sum {
  count: number;
  ns: number;
}

type Stages = ModelStatistics["inference_stats"];
type BatchStatistics = ModelStatistics["batch_stats"][number];

const sum = (): Sum => ({ count: 0, ns: 0 });

const add = (total: Sum, milliseconds: number, count = 1): void => {
  total.count += count;
  total.ns += Math.round(milliseconds * 1e6);
};

const join = (a: Sum, b: Sum): Sum => ({ count: a.count + b.count, ns: a.ns + b.ns });

const emptyStages = (): Record<keyof Stages, Sum> => ({
  success: sum(),
  fail: sum(),
  queue: sum(),
  compute_input: sum(),
  compute_infer: sum(),
  compute_output: sum(),
  cache_hit: sum(),
  cache_miss: sum(),
});

/** Milliseconds that an answered request spent where. */
export interface RequestTimes {
  readonly parseMs: number;
  readonly queueMs: number;
  readonly runMs: number;
  readonly encodeMs: number;
}

/** Counts what a replica has done, in the terms of Triton's statistics extension. */
export class ServingStatistics {
  readonly #stages = emptyStages();
  readonly #batches = new Map<number, BatchStatistics>();
  #rows = 0;
  #runs = 0;
  #lastMs = 0;

  /** Notes an answered request. */
  answered({ parseMs, queueMs, runMs, encodeMs }: RequestTimes): void {
    add(this.#stages.success, parseMs + queueMs + runMs + encodeMs);
    add(this.#stages.queue, queueMs);
    add(this.#stages.compute_input, parseMs);
    add(this.#stages.compute_infer, runMs);
    add(this.#stages.compute_output, encodeMs);
  }

  /** Notes a request that failed. */
  failed(milliseconds: number): void {
    add(this.#stages.fail, milliseconds);
  }

  /** Notes a run. @param nowMs Milliseconds since 1970. */
  ran({ rows, runMs, nowMs }: { readonly rows: number; readonly runMs: number; readonly nowMs: number }): void {
    this.#rows += rows;
    this.#runs++;
    this.#lastMs = Math.round(nowMs);
    const batch = this.#batches.get(rows) ?? {
      batch_size: rows,
      compute_input: sum(),
      compute_infer: sum(),
      compute_output: sum(),
    };
    add(batch.compute_infer, runMs);
    batch.compute_input.count++;
    batch.compute_output.count++;
    this.#batches.set(rows, batch);
  }

  /** Everything so far. */
  report({ name, version }: { readonly name: string; readonly version: number }): ModelStatistics {
    return {
      name,
      version: String(version),
      last_inference: this.#lastMs,
      inference_count: this.#rows,
      execution_count: this.#runs,
      inference_stats: this.#stages,
      batch_stats: [...this.#batches.values()].sort((a, b) => a.batch_size - b.batch_size),
    };
  }
}

const joinBatches = (a: readonly BatchStatistics[], b: readonly BatchStatistics[]): BatchStatistics[] => {
  const bySize = new Map(a.map((batch) => [batch.batch_size, batch]));
  for (const batch of b) {
    const own = bySize.get(batch.batch_size);
    bySize.set(
      batch.batch_size,
      own === undefined
        ? batch
        : {
            batch_size: batch.batch_size,
            compute_input: join(own.compute_input, batch.compute_input),
            compute_infer: join(own.compute_infer, batch.compute_infer),
            compute_output: join(own.compute_output, batch.compute_output),
          },
    );
  }
  return [...bySize.values()].sort((x, y) => x.batch_size - y.batch_size);
};

const joinTwo = (a: ModelStatistics, b: ModelStatistics): ModelStatistics => {
  const stages = Object.entries(a.inference_stats).map(([stage, own]) => [
    stage,
    join(own, b.inference_stats[stage as keyof Stages]),
  ]);
  return {
    ...a,
    last_inference: Math.max(a.last_inference, b.last_inference),
    inference_count: a.inference_count + b.inference_count,
    execution_count: a.execution_count + b.execution_count,
    inference_stats: Object.fromEntries(stages) as Stages,
    batch_stats: joinBatches(a.batch_stats, b.batch_stats),
  };
};

/** Adds up what the replicas of one version counted; zeros when there are none. */
export const joinStatistics = (
  served: { readonly name: string; readonly version: number | null },
  parts: readonly ModelStatistics[],
): ModelStatistics =>
  parts.reduce(joinTwo, new ServingStatistics().report({ name: served.name, version: served.version ?? 0 }));
