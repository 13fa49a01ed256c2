import { LearnError } from "../errors.ts";
import type { ResolvedStep } from "./resolve-steps.ts";
import type { FittedValueStep, ImputeStrategy, Lane } from "./step.ts";

/** Raw samples: the last axis runs over the lanes. */
export interface RawSamples {
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
}

/** One lane of the samples as it is after the steps so far. */
interface Strand {
  readonly length: number;
  at(i: number): number;
}

const strandOf = ({ values }: RawSamples, lane: number, lanes: number): Strand => ({
  length: values.length / lanes,
  at: (i) => values[i * lanes + lane] as number,
});

const changed = (strand: Strand, change: (value: number) => number): Strand => ({
  length: strand.length,
  at: (i) => change(strand.at(i)),
});

/** Mean and population variance of the values that are there, in two passes. */
const moments = (strand: Strand): { readonly mean: number; readonly variance: number } => {
  let [count, sum, squares] = [0, 0, 0];
  for (let i = 0; i < strand.length; i++) {
    const value = strand.at(i);
    if (Number.isNaN(value)) continue;
    count++;
    sum += value;
  }
  const mean = sum / count;
  for (let i = 0; i < strand.length; i++) {
    const distance = strand.at(i) - mean;
    if (!Number.isNaN(distance)) squares += distance * distance;
  }
  return { mean, variance: squares / count };
};

const present = (strand: Strand): Float64Array =>
  Float64Array.from({ length: strand.length }, (_, i) => strand.at(i)).filter((value) => !Number.isNaN(value));

const median = (strand: Strand): number => {
  const sorted = present(strand).sort();
  const half = sorted.length >> 1;
  const upper = sorted[half] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? Number.NaN) + upper) / 2;
};

/** The most frequent value; of equally frequent ones the smallest, as in scikit-learn. */
const mostFrequent = (strand: Strand): number => {
  const sorted = present(strand).sort();
  let [best, bestCount, start] = [Number.NaN, 0, 0];
  for (let i = 1; i <= sorted.length; i++) {
    if (sorted[i] === sorted[start]) continue;
    if (i - start > bestCount) [best, bestCount] = [sorted[start] as number, i - start];
    start = i;
  }
  return best;
};

const fillers: Readonly<Record<Exclude<ImputeStrategy, "constant">, (strand: Strand) => number>> = {
  mean: (strand) => moments(strand).mean,
  median,
  most_frequent: mostFrequent,
};

const withoutValues = (lane: Lane, step: string): LearnError =>
  new LearnError(
    "preprocessing-invalid",
    `The step ${step} cannot be fitted on "${lane.name}": no training row has a value there. Leave the column out of \`features\`.`,
  );

const fitImpute = (step: Extract<ResolvedStep, { step: "impute" }>, lane: Lane, strand: Strand): number => {
  if (step.strategy === "constant") {
    const { fillValue = 0 } = step;
    return lane.kind === "category" ? lane.categories.indexOf(String(fillValue)) : Number(fillValue);
  }
  const fill = fillers[step.strategy](strand);
  if (Number.isNaN(fill)) throw withoutValues(lane, `impute (${step.strategy})`);
  return fill;
};

/** Categories of a lane that no training row has. */
const unseenOf = (lane: Lane, strand: Strand): string[] => {
  if (lane.kind !== "category") return [];
  const seen = new Set<number>();
  for (let i = 0; i < strand.length; i++) seen.add(strand.at(i));
  return lane.categories.filter((_, index) => !seen.has(index));
};

type Of<Step extends ResolvedStep["step"]> = Extract<ResolvedStep, { step: Step }>;

/** Fits steps one after the other, each on what the ones before it leave. */
class Fitting {
  readonly #lanes: readonly Lane[];
  readonly #strands: Strand[];

  constructor(samples: RawSamples, lanes: readonly Lane[]) {
    this.#lanes = lanes;
    this.#strands = lanes.map((_, at) => strandOf(samples, at, lanes.length));
  }

  fit(step: ResolvedStep): FittedValueStep {
    const columns = step.lanes.map((at) => this.#lane(at).name);
    switch (step.step) {
      case "scale":
        for (const at of step.lanes) this.#change(at, (value) => value * step.scale + step.offset);
        return { step: "scale", columns, scale: step.scale, offset: step.offset };
      case "standardise":
        return this.#standardise(step, columns);
      case "impute":
        return this.#impute(step, columns);
      case "one_hot":
        return {
          step: "one_hot",
          columns,
          handleUnknown: step.handleUnknown,
          categories: step.lanes.map((at) => {
            const lane = this.#lane(at);
            return lane.kind === "category" ? lane.categories : [];
          }),
          unseen: step.lanes.map((at) => unseenOf(this.#lane(at), this.#strand(at))),
        };
    }
  }

  #standardise({ lanes }: Of<"standardise">, columns: readonly string[]): FittedValueStep {
    const found = lanes.map((at) => {
      const { mean, variance } = moments(this.#strand(at));
      if (Number.isNaN(mean)) throw withoutValues(this.#lane(at), "standardise");
      return { mean, variance: variance === 0 ? 1 : variance };
    });
    for (const [i, at] of lanes.entries()) {
      const { mean = 0, variance = 1 } = found[i] ?? {};
      this.#change(at, (value) => (value - mean) / Math.sqrt(variance));
    }
    return {
      step: "standardise",
      columns,
      mean: found.map(({ mean }) => mean),
      variance: found.map(({ variance }) => variance),
    };
  }

  #impute(step: Of<"impute">, columns: readonly string[]): FittedValueStep {
    const fill = step.lanes.map((at) => {
      const lane = this.#lane(at);
      const value = fitImpute(step, lane, this.#strand(at));
      this.#change(at, (raw) => (Number.isNaN(raw) ? value : raw));
      return lane.kind === "category" ? (lane.categories[value] ?? "") : value;
    });
    return { step: "impute", columns, strategy: step.strategy, fill };
  }

  #lane(at: number): Lane {
    return this.#lanes[at] as Lane;
  }

  #strand(at: number): Strand {
    return this.#strands[at] as Strand;
  }

  #change(at: number, change: (value: number) => number): void {
    this.#strands[at] = changed(this.#strand(at), change);
  }
}

/**
 * Fits steps to training samples; each step sees what the ones before it leave, as in a scikit-learn `Pipeline`.
 * Missing values are left out of every figure.
 * @param samples Training samples [samples, …, lanes], NaN where a value is missing.
 * @throws LearnError `preprocessing-invalid` when a column has no value to fit a step on.
 */
export const fitSteps = (
  steps: readonly ResolvedStep[],
  lanes: readonly Lane[],
  samples: RawSamples,
): FittedValueStep[] => {
  const fitting = new Fitting(samples, lanes);
  return steps.map((step) => fitting.fit(step));
};
