import { LearnError } from "../errors.ts";
import type { Callback } from "./callbacks/index.ts";
import type { FitOptions, History } from "./fit.ts";
import type { Arrays } from "./samples.ts";
import type { LearnerState } from "./state.ts";

/** Options of {@link findLearningRate}. */
export interface RangeTestOptions extends Pick<FitOptions, "batchSize" | "sampleWeight" | "classWeight" | "signal"> {
  /** First rate; 1e-7 by default. */
  readonly minimum?: number;
  /** Last rate; 10 by default. */
  readonly maximum?: number;
  /** Steps between them, each at a rate larger by the same factor; 100 by default. */
  readonly steps?: number;
  /** Share of the smoothed loss kept at each step; 0.9 by default. */
  readonly smoothing?: number;
  /** The test ends when the smoothed loss is this many times its smallest value; 4 by default. */
  readonly divergence?: number;
}

/** What a range test found: one entry a step. */
export interface RangeTest {
  readonly rates: readonly number[];
  readonly losses: readonly number[];
  readonly smoothed: readonly number[];
  /** Where the smoothed loss falls fastest; null when it never falls. */
  readonly steepest: number | null;
  /** A tenth of the rate at which the smoothed loss is smallest: a rate to begin with. */
  readonly suggested: number;
}

/** What a range test needs of a learner. */
export interface RangeTestLearner {
  fit(x: Arrays, y: Arrays, options: FitOptions): Promise<History>;
  restore(state: LearnerState): void;
}

interface Records {
  readonly rates: number[];
  readonly losses: number[];
  readonly smoothed: number[];
}

const steepestOf = ({ rates, smoothed }: Records): number | null => {
  let [best, fall] = [-1, 0];
  for (let i = 1; i < smoothed.length; i++) {
    const change = (smoothed[i] ?? 0) - (smoothed[i - 1] ?? 0);
    if (change < fall) [best, fall] = [i, change];
  }
  return rates[best] ?? null;
};

/** Raises the rate step by step and writes down what the loss does. */
const recorder = (
  records: Records,
  range: { readonly minimum: number; readonly factor: number; readonly smoothing: number },
  isOver: () => boolean,
): {
  readonly callback: Callback;
  readonly signal: { aborted: boolean };
  readonly initial: () => LearnerState | undefined;
} => {
  const signal = { aborted: false };
  let initial: LearnerState | undefined;
  let average = 0;
  const callback: Callback = {
    name: "learning_rate_finder",
    onTrainBegin: (control) => {
      initial = control.state();
      control.learningRate = range.minimum;
    },
    onStepEnd: ({ batchLoss }, control) => {
      const count = records.rates.push(control.learningRate);
      records.losses.push(batchLoss);
      average = range.smoothing * average + (1 - range.smoothing) * batchLoss;
      // Without the correction the first averages would be too small.
      records.smoothed.push(average / (1 - range.smoothing ** count));
      signal.aborted = isOver();
      control.learningRate = range.minimum * range.factor ** count;
    },
    onLossNotFinite: () => {
      signal.aborted = true;
    },
  };
  return { callback, signal, initial: () => initial };
};

/**
 * Learning-rate range test (Smith 2017): trains a few steps at rates that grow from tiny to huge, and gives the losses.
 * The learner is afterwards as it was before.
 * @throws LearnError `optimizer-invalid` for a range that does not rise, or when the first loss is not finite.
 */
export const findLearningRate = async (
  learner: RangeTestLearner,
  data: { readonly x: Arrays; readonly y: Arrays },
  options: RangeTestOptions = {},
): Promise<RangeTest> => {
  const {
    minimum = 1e-7,
    maximum = 10,
    steps = 100,
    smoothing = 0.9,
    divergence = 4,
    signal: outer,
    ...rest
  } = options;
  if (!(minimum > 0 && maximum > minimum && steps >= 2)) {
    throw new LearnError(
      "optimizer-invalid",
      `A range test goes from a rate above 0 to a larger one in at least 2 steps, but ${minimum}, ${maximum} and ${steps} came.`,
    );
  }
  const records: Records = { rates: [], losses: [], smoothed: [] };
  const isOver = (): boolean => {
    const last = records.smoothed.at(-1) ?? 0;
    const diverged = last > divergence * Math.min(...records.smoothed);
    return outer?.aborted === true || records.rates.length >= steps || diverged;
  };
  const factor = (maximum / minimum) ** (1 / (steps - 1));
  const { callback, signal, initial } = recorder(records, { minimum, factor, smoothing }, isOver);
  // Every epoch has at least one step.
  await learner.fit(data.x, data.y, { ...rest, epochs: steps, callbacks: [callback], signal });
  const before = initial();
  if (before !== undefined) learner.restore(before);
  const smallest = Math.min(...records.smoothed);
  const at = records.rates[records.smoothed.indexOf(smallest)];
  if (at === undefined)
    throw new LearnError("optimizer-invalid", "The first loss is not finite. Look for NaN in the data.");
  return { ...records, steepest: steepestOf(records), suggested: at / 10 };
};
