import type { Optimizer } from "../optimizers/index.ts";
import type { Random } from "../random.ts";
import type { BatchSource } from "./batch-source.ts";
import type { Objective } from "./objective.ts";
import type { TrainingProgram } from "./program.ts";
import type { LearnerState } from "./state.ts";
import type { WeightStore } from "./weights.ts";

/** What the training loop needs of a compiled model, so that the loop does not know the learner that calls it. */
export interface Trainee {
  readonly objective: Objective;
  readonly weights: WeightStore;
  readonly optimizer: Optimizer;
  /** Generator of the data order. */
  readonly shuffle: Random;
  /** Generators of the batches' augmentations are split from it; it is never drawn from. */
  readonly batches: Random;
  /** Generators of the dropout masks, by mask. */
  readonly masks: ReadonlyMap<string, Random>;
  /** State to go on from; the loop takes it away. */
  resumeFrom: LearnerState | undefined;
  /** The training program of a batch size. */
  program(batch: number): Promise<TrainingProgram>;
  /** Loss and metrics on samples that are not trained on. */
  evaluateSource(source: BatchSource): Promise<Record<string, number>>;
}
