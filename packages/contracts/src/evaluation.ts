import { z } from "zod";

const Average = z.object({ precision: z.number(), recall: z.number(), f1: z.number() });

/** Figures that older artefacts lack. */
const later = <Schema extends z.ZodType>(schema: Schema) => schema.nullable().default(null);

/** Points of a curve, thinned evenly to a few hundred; arrays of one length. */
const Curve = z.array(z.number());

/** Figures of the rows whose value in a column is the same. */
const Slice = z.object({
  column: z.string(),
  /** `null` for rows without a value. */
  category: z.string().nullable(),
  rows: z.int(),
  /** Figures by name: accuracy and macroF1, or meanAbsoluteError and rootMeanSquaredError. */
  figures: z.record(z.string(), z.number()),
});
/** Figures of a part of the rows. */
export type Slice = z.infer<typeof Slice>;

/** Classification figures with scikit-learn's definitions (zero_division = 0). */
export const ClassificationEvaluation = z.object({
  kind: z.literal("classification"),
  split: z.string(),
  rows: z.int(),
  loss: z.number(),
  accuracy: z.number(),
  balancedAccuracy: z.number(),
  cohenKappa: later(z.number()),
  matthewsCorrelation: later(z.number()),
  /** Mean −log of the true class's probability, in nats. */
  logLoss: later(z.number()),
  /** Mean squared distance of the probabilities from the truth. */
  brierScore: later(z.number()),
  /** Two classes: expected calibration error over ten bins of equal width. */
  calibrationError: later(z.number()),
  /**
   * Area under the receiver operating characteristic: of the second of two classes, else the mean of each class
   * against the rest. `null` when a class does not occur, or there are more than 100.
   */
  rocAuc: later(z.number()),
  /** More than two classes: each against the rest weighted by its rows, and the mean over pairs. */
  rocAucWeighted: later(z.number()),
  rocAucPairs: later(z.number()),
  /** Two classes: average precision of the second. */
  averagePrecision: later(z.number()),
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
  /** Two classes: curves of the second. */
  curves: later(
    z.object({
      roc: z.object({ falsePositiveRate: Curve, truePositiveRate: Curve }),
      precisionRecall: z.object({ precision: Curve, recall: Curve }),
    }),
  ),
  /** Figures by category of the columns that the run's `slices` names. */
  slices: later(z.array(Slice)),
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
  maxError: later(z.number()),
  /** `null` for fewer than two rows. */
  r2: z.number().nullable(),
  explainedVariance: z.number().nullable(),
  /** As a share, not per cent; huge when a target is 0. */
  meanAbsolutePercentageError: z.number().nullable(),
  /** Figures by category of the columns that the run's `slices` names. */
  slices: later(z.array(Slice)),
});

/** What a model scored on a split. */
export const Evaluation = z.discriminatedUnion("kind", [ClassificationEvaluation, RegressionEvaluation]);
/** What a model scored on a split. */
export type Evaluation = z.infer<typeof Evaluation>;
