import { LearnError } from "../../errors.ts";
import type { LearnerState } from "../state.ts";

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

/**
 * Told of a training's course: any object with some of these functions is one. Its own state travels with checkpoints.
 * The training waits for promises that they return.
 */
export interface Callback {
  readonly name: string;
  /** Before the first step, and when a training goes on from a state. */
  onTrainBegin?(control: TrainingControl): void | Promise<void>;
  /** Before the first step of an epoch. */
  onEpochBegin?(epoch: EpochStart, control: TrainingControl): void | Promise<void>;
  onStepEnd?(step: StepReport, control: TrainingControl): void | Promise<void>;
  /** After `onStepEnd` of all callbacks: what is saved now holds the state of each. */
  onStepSettled?(step: StepReport, control: TrainingControl): void | Promise<void>;
  onEpochEnd?(epoch: EpochReport, control: TrainingControl): void | Promise<void>;
  /** After `onEpochEnd` of all callbacks: what is saved now holds the state of each. */
  onEpochSettled?(epoch: EpochReport, control: TrainingControl): void | Promise<void>;
  /** When a loss is NaN or infinite; the weights are those before the step. Without it the training fails. */
  onLossNotFinite?(reason: string, control: TrainingControl): void;
  onTrainEnd?(control: TrainingControl): void;
  /** State as JSON, for an exact resume. */
  state?(): unknown;
  /** Arrays that belong to the state, by name. */
  arrays?(): Readonly<Record<string, Float32Array>>;
  restore?(state: unknown, arrays: Readonly<Record<string, Float32Array>>): void;
}

/** Before an epoch: counts from 1. */
export interface EpochStart {
  readonly epoch: number;
  readonly epochs: number;
}

/** After a step: counts from 1, running values over the epoch. */
export interface StepReport {
  readonly epoch: number;
  readonly step: number;
  readonly stepsPerEpoch: number;
  /** Loss of this step's batch alone. */
  readonly batchLoss: number;
  readonly logs: Logs;
}

/** After an epoch: counts from 1. */
export interface EpochReport {
  readonly epoch: number;
  readonly epochs: number;
  readonly logs: Logs;
  readonly learningRate: number;
}

/** Whether a metric is to become smaller or larger. */
export type Direction = "min" | "max";

const largerIsBetter = /acc|precision|recall|f1|auc|r2|iou|top_k|cosine_similarity|true_positives|true_negatives/;

/** The direction that a metric's name tells, as Keras' `auto` does. */
const directionOf = (monitor: string): Direction => (largerIsBetter.test(monitor) ? "max" : "min");

/** A watched metric: whether a value is better than another by more than a margin. */
export interface Watch {
  readonly monitor: string;
  /** The metric's value. @throws LearnError `metric-invalid` when the training does not have it. */
  valueIn(logs: Logs): number;
  isBetter(value: number, than: number | null, minDelta: number): boolean;
}

/** Watches a metric for a callback. */
export const watch = (
  callback: string,
  options: { readonly monitor: string; readonly mode: Direction | undefined },
): Watch => {
  const { monitor } = options;
  const sign = (options.mode ?? directionOf(monitor)) === "min" ? -1 : 1;
  return {
    monitor,
    valueIn: (logs) => {
      const value = logs[monitor];
      if (value !== undefined) return value;
      throw new LearnError(
        "metric-invalid",
        `${callback} watches "${monitor}", but the training has ${Object.keys(logs).join(", ")}. Add validation data, or watch one of these.`,
      );
    },
    isBetter: (value, than, minDelta) => (than === null ? !Number.isNaN(value) : sign * (value - than) > minDelta),
  };
};
