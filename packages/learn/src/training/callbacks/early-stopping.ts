import type { LearnerState } from "../state.ts";
import { type Callback, type Direction, watch } from "./callback.ts";

/** Options of {@link earlyStopping}. */
export interface EarlyStoppingOptions {
  /** Metric to watch; default `val_loss`. */
  readonly monitor?: string | undefined;
  /** Default: `max` for accuracies and their like, else `min`. */
  readonly mode?: Direction | undefined;
  /** Smallest change that counts as better; default 0. */
  readonly minDelta?: number | undefined;
  /** Epochs without a better value before the training stops; default 0. */
  readonly patience?: number | undefined;
  /** Only values better than this start the patience anew; default none. */
  readonly baseline?: number | undefined;
  /** Stops as soon as the metric is at least this good. */
  readonly threshold?: number | undefined;
  /** Puts the weights of the best epoch back at the end; default false. */
  readonly restoreBestWeights?: boolean | undefined;
  /** Epochs that are not looked at first; default 0. */
  readonly startFromEpoch?: number | undefined;
}

interface EarlyStoppingState {
  best: number | null;
  wait: number;
}

/** Stops when a metric no longer gets better, or is good enough. Source: keras/src/callbacks/early_stopping.py. */
export const earlyStopping = (options: EarlyStoppingOptions = {}): Callback => {
  const { monitor = "val_loss", patience = 0, threshold, baseline, startFromEpoch = 0 } = options;
  const minDelta = Math.abs(options.minDelta ?? 0);
  const watched = watch("earlyStopping", { monitor, mode: options.mode });
  const reached = (value: number): boolean =>
    threshold !== undefined && (value === threshold || watched.isBetter(value, threshold, 0));
  let state: EarlyStoppingState = { best: null, wait: 0 };
  let bestWeights: LearnerState["weights"] | undefined;
  return {
    name: "early_stopping",
    onEpochEnd: ({ epoch, logs }, control) => {
      if (epoch - 1 < startFromEpoch) return;
      const value = watched.valueIn(logs);
      const better = watched.isBetter(value, state.best, minDelta);
      if (options.restoreBestWeights === true && (better || bestWeights === undefined)) {
        bestWeights = control.state().weights;
      }
      state.wait += 1;
      if (better) {
        state.best = value;
        if (baseline === undefined || watched.isBetter(value, baseline, minDelta)) state.wait = 0;
      }
      if (reached(value)) {
        control.stop(`${monitor} reached ${value}, the threshold is ${threshold}`);
      } else if (!better && state.wait >= patience && epoch > 1) {
        control.stop(`${monitor} has not become better for ${state.wait} epochs`);
      }
    },
    onTrainEnd: (control) => {
      if (bestWeights !== undefined) control.restoreWeights(bestWeights);
    },
    state: () => state,
    arrays: () => bestWeights ?? {},
    restore: (saved, arrays) => {
      state = { ...(saved as EarlyStoppingState) };
      bestWeights = options.restoreBestWeights === true && Object.keys(arrays).length > 0 ? arrays : undefined;
    },
  };
};
