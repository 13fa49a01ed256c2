import type { OptimizerState } from "../optimizers/index.ts";
import type { RandomState } from "../random.ts";

/** Where in the data a training stands. */
export interface TrainingPosition {
  /** Epochs that are complete. */
  readonly epoch: number;
  /** Steps made inside the current epoch. */
  readonly step: number;
  /** Generator of the data order, as it was before the current epoch's order was drawn. */
  readonly shuffle: RandomState;
  /** Sums over the current epoch: samples, then loss and metrics. */
  readonly samples: number;
  readonly sums: readonly number[];
}

/** Figures of the epochs so far, by metric. */
export type HistoryValues = Readonly<Record<string, readonly number[]>>;

/** Everything a training needs to go on exactly: arrays beside plain JSON. */
export interface LearnerState {
  /** Every weight, moving statistics too, in its public layout, by its full name. */
  readonly weights: Readonly<Record<string, Float32Array>>;
  /** Optimizer slots of the learnt weights, as `name#slot`, in the public layout. */
  readonly slots: Readonly<Record<string, Float32Array>>;
  readonly optimizer: OptimizerState;
  readonly position: TrainingPosition;
  /** Generators of the dropout masks, by mask. */
  readonly masks: Readonly<Record<string, RandomState>>;
  /** States of the callbacks, in their order. */
  readonly callbacks: readonly unknown[];
  /** Arrays that callbacks keep, such as the best weights so far, as `index/name`. */
  readonly kept: Readonly<Record<string, Float32Array>>;
  /** Why the training is to end, when a callback has asked for it; `null` while none has. */
  readonly stopped: string | null;
  readonly history: HistoryValues;
}
