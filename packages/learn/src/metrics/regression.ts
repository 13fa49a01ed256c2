/** What {@link regressionReport} judges. */
export interface RegressionInput {
  /** [rows]. */
  readonly trueValues: ArrayLike<number>;
  /** [rows]. */
  readonly predictedValues: ArrayLike<number>;
}

/** Figures of a regressor, in the targets' unit, its square, or without one. */
export interface RegressionReport {
  readonly meanSquaredError: number;
  readonly rootMeanSquaredError: number;
  readonly meanAbsoluteError: number;
  readonly medianAbsoluteError: number;
  readonly maxError: number;
  /** For constant targets 1 when all are hit, else 0; `null` for fewer than two rows. */
  readonly r2: number | null;
  /** For constant targets 1 when all errors are equal, else 0. */
  readonly explainedVariance: number;
  /** As a share, not per cent; a target of 0 counts as 2⁻⁵², so the figure is then huge. */
  readonly meanAbsolutePercentageError: number;
}

const mean = (values: Float64Array): number => {
  let total = 0;
  for (const value of values) total += value;
  return total / values.length;
};

const meanSquare = (values: Float64Array, center: number): number => mean(values.map((value) => (value - center) ** 2));

const median = (values: Float64Array): number => {
  const sorted = values.toSorted();
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
};

/** 1 − unexplained/total; scikit-learn's `force_finite` where the total is 0. */
const explained = (unexplained: number, total: number): number => {
  if (total === 0) return unexplained === 0 ? 1 : 0;
  return 1 - unexplained / total;
};

/**
 * Judges a regressor with scikit-learn's definitions.
 * Source: sklearn.metrics.mean_squared_error, mean_absolute_error, median_absolute_error, max_error, r2_score,
 * explained_variance_score, mean_absolute_percentage_error.
 */
export const regressionReport = ({ trueValues, predictedValues }: RegressionInput): RegressionReport => {
  const truth = Float64Array.from(trueValues);
  const errors = truth.map((value, row) => value - (predictedValues[row] as number));
  const distances = errors.map(Math.abs);
  const squared = meanSquare(errors, 0);
  const spread = meanSquare(truth, mean(truth));
  return {
    meanSquaredError: squared,
    rootMeanSquaredError: Math.sqrt(squared),
    meanAbsoluteError: mean(distances),
    medianAbsoluteError: median(distances),
    maxError: distances.reduce((largest, distance) => Math.max(largest, distance), 0),
    r2: truth.length < 2 ? null : explained(squared, spread),
    explainedVariance: explained(meanSquare(errors, mean(errors)), spread),
    meanAbsolutePercentageError: mean(
      distances.map((distance, row) => distance / Math.max(Math.abs(truth[row] as number), Number.EPSILON)),
    ),
  };
};
