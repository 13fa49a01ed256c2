import { z } from "zod";

const Average = z.object({ precision: z.number(), recall: z.number(), f1: z.number() });

/** Classification figures with scikit-learn's definitions (zero_division = 0). */
export const ClassificationEvaluation = z.object({
  kind: z.literal("classification"),
  split: z.string(),
  rows: z.int(),
  loss: z.number(),
  accuracy: z.number(),
  balancedAccuracy: z.number(),
  topK: z.object({ k: z.int(), accuracy: z.number() }).nullable(),
  macro: Average,
  micro: Average,
  weighted: Average,
  perClass: z.array(
    z.object({
      label: z.string(),
      precision: z.number(),
      recall: z.number(),
      f1: z.number(),
      support: z.int(),
    }),
  ),
  /** Rows are the true classes, columns the predicted ones, in order of `perClass`. */
  confusion: z.array(z.array(z.int())),
});

/** Regression figures with scikit-learn's definitions. */
export const RegressionEvaluation = z.object({
  kind: z.literal("regression"),
  split: z.string(),
  rows: z.int(),
  loss: z.number(),
  meanSquaredError: z.number(),
  rootMeanSquaredError: z.number(),
  meanAbsoluteError: z.number(),
  medianAbsoluteError: z.number(),
  /** `null` when the targets are constant. */
  r2: z.number().nullable(),
  explainedVariance: z.number().nullable(),
  /** `null` when a target is zero. */
  meanAbsolutePercentageError: z.number().nullable(),
});

/** What a model scored on a split. */
export const Evaluation = z.discriminatedUnion("kind", [ClassificationEvaluation, RegressionEvaluation]);
/** What a model scored on a split. */
export type Evaluation = z.infer<typeof Evaluation>;
