import { LearnError } from "../errors.ts";
import type { LearnerState } from "./state.ts";

/** Metric values by name; validation figures begin with `val_`. */
export type Logs = Readonly<Record<string, number>>;

/** What a callback may look at and do. */
export interface TrainingControl {
  /** Learning rate of the next step; setting it replaces a schedule. */
  learningRate: number;
  /** Ends the training after the current epoch. */
  stop(reason: string): void;
  /** Everything needed to go on from here. */
  state(): LearnerState;
  /** Puts weights back, by their full names. */
  restoreWeights(weights: LearnerState["weights"]): void;
}

/** Told of a training's course; its own state travels with checkpoints. The training waits for promises it returns. */
export interface Callback {
  readonly name: string;
  onStepEnd?(step: StepReport, control: TrainingControl): void | Promise<void>;
  onEpochEnd?(epoch: EpochReport, control: TrainingControl): void | Promise<void>;
  onTrainEnd?(control: TrainingControl): void;
  /** State as JSON, for an exact resume. */
  state?(): unknown;
  /** Arrays that belong to the state, by name. */
  arrays?(): Readonly<Record<string, Float32Array>>;
  restore?(state: unknown, arrays: Readonly<Record<string, Float32Array>>): void;
}

/** After a step: counts from 1, running means over the epoch. */
export interface StepReport {
  readonly epoch: number;
  readonly step: number;
  readonly stepsPerEpoch: number;
  readonly logs: Logs;
}

/** After an epoch: counts from 1. */
export interface EpochReport {
  readonly epoch: number;
  readonly epochs: number;
  readonly logs: Logs;
  readonly learningRate: number;
}

type Direction = "min" | "max";

const directionOf = (monitor: string): Direction => (/accuracy|precision|recall|f1|auc/.test(monitor) ? "max" : "min");

const monitored = (logs: Logs, monitor: string, callback: string): number => {
  const value = logs[monitor];
  if (value !== undefined) return value;
  throw new LearnError(
    "metric-invalid",
    `${callback} watches "${monitor}", but the training has ${Object.keys(logs).join(", ")}. Add validation data, or watch one of these.`,
  );
};

/** Options of {@link earlyStopping}. */
export interface EarlyStoppingOptions {
  /** Metric to watch; default `val_loss`. */
  readonly monitor?: string;
  /** Default: `max` for accuracies, else `min`. */
  readonly mode?: Direction;
  /** Smallest change that counts as better; default 0. */
  readonly minDelta?: number;
  /** Epochs without a better value before the training stops; default 0. */
  readonly patience?: number;
  /** Stops as soon as the metric is at least this good. */
  readonly threshold?: number;
  /** Puts the weights of the best epoch back at the end; default false. */
  readonly restoreBestWeights?: boolean;
  /** Epochs that are not looked at first; default 0. */
  readonly startFromEpoch?: number;
}

interface EarlyStoppingState {
  best: number | null;
  wait: number;
}

/** Stops when a metric no longer gets better, or is good enough. Source: keras/src/callbacks/early_stopping.py. */
export const earlyStopping = (options: EarlyStoppingOptions = {}): Callback => {
  const { monitor = "val_loss", minDelta = 0, patience = 0, threshold, startFromEpoch = 0 } = options;
  const sign = (options.mode ?? directionOf(monitor)) === "min" ? -1 : 1;
  let state: EarlyStoppingState = { best: null, wait: 0 };
  let bestWeights: LearnerState["weights"] | undefined;
  return {
    name: "early_stopping",
    onEpochEnd: ({ epoch, logs }, control) => {
      if (epoch - 1 < startFromEpoch) return;
      const value = monitored(logs, monitor, "earlyStopping");
      if (state.best === null || sign * (value - state.best) > minDelta) {
        state = { best: value, wait: 0 };
        if (options.restoreBestWeights) bestWeights = control.state().weights;
      } else {
        state.wait += 1;
      }
      if (threshold !== undefined && sign * (value - threshold) >= 0) {
        control.stop(`${monitor} reached ${value}, the threshold is ${threshold}`);
      } else if (state.wait >= Math.max(patience, 1) && epoch > 1) {
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
      bestWeights = options.restoreBestWeights && state.best !== null ? arrays : undefined;
    },
  };
};

/** Options of {@link reduceLrOnPlateau}. */
export interface ReduceLrOptions {
  /** Default `val_loss`. */
  readonly monitor?: string;
  readonly mode?: Direction;
  /** Factor of each reduction; default 0.1. */
  readonly factor?: number;
  /** Epochs without a better value before a reduction; default 10. */
  readonly patience?: number;
  /** Default 1e-4. */
  readonly minDelta?: number;
  /** Epochs to wait after a reduction; default 0. */
  readonly cooldown?: number;
  /** Smallest rate; default 0. */
  readonly minLr?: number;
}

interface PlateauState {
  best: number | null;
  wait: number;
  cooldown: number;
}

/** Makes the learning rate smaller when a metric stays. Source: keras/src/callbacks/reduce_lr_on_plateau.py. */
export const reduceLrOnPlateau = (options: ReduceLrOptions = {}): Callback => {
  const { monitor = "val_loss", factor = 0.1, patience = 10, minDelta = 1e-4, minLr = 0 } = options;
  const sign = (options.mode ?? directionOf(monitor)) === "min" ? -1 : 1;
  let state: PlateauState = { best: null, wait: 0, cooldown: 0 };
  const reduce = (control: TrainingControl): void => {
    if (control.learningRate <= minLr) return;
    control.learningRate = Math.max(control.learningRate * factor, minLr);
    state.cooldown = options.cooldown ?? 0;
    state.wait = 0;
  };
  return {
    name: "reduce_lr_on_plateau",
    onEpochEnd: ({ logs }, control) => {
      const value = monitored(logs, monitor, "reduceLrOnPlateau");
      if (state.cooldown > 0) {
        state.cooldown -= 1;
        state.wait = 0;
      }
      if (state.best === null || sign * (value - state.best) > minDelta) {
        state.best = value;
        state.wait = 0;
      } else if (state.cooldown === 0) {
        state.wait += 1;
        if (state.wait >= patience) reduce(control);
      }
    },
    state: () => state,
    restore: (saved) => {
      state = { ...(saved as PlateauState) };
    },
  };
};

/** Hands on the whole state after every epoch, or every so many steps: the caller writes it where it likes. */
export const modelCheckpoint = (
  save: (state: LearnerState) => void,
  options: { readonly everySteps?: number } = {},
): Callback => ({
  name: "model_checkpoint",
  onStepEnd: ({ step, stepsPerEpoch }, control) => {
    if (options.everySteps !== undefined && step % options.everySteps === 0 && step < stepsPerEpoch)
      save(control.state());
  },
  onEpochEnd: (_, control) => save(control.state()),
});

/** Writes one CSV line an epoch, a header first; `sink` takes each line with its line end. */
export const csvLogger = (sink: (line: string) => void): Callback => {
  let headed = false;
  return {
    name: "csv_logger",
    onEpochEnd: ({ epoch, logs, learningRate }) => {
      const names = Object.keys(logs);
      if (!headed) sink(`${["epoch", ...names, "learning_rate"].join(",")}\n`);
      headed = true;
      sink(`${[epoch, ...names.map((name) => logs[name]), learningRate].join(",")}\n`);
    },
    state: () => headed,
    restore: (saved) => {
      headed = saved === true;
    },
  };
};

/** Calls back after every step, for bars and curves. */
export const progress = (report: (step: StepReport) => void): Callback => ({ name: "progress", onStepEnd: report });
