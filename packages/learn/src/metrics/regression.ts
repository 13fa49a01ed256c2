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
  /** `null` when the targets are constant. */
  readonly r2: number | null;
  /** `null` when the targets are constant. */
  readonly explainedVariance: number | null;
  /** As a share, not per cent; `null` when a target is zero. */
  readonly meanAbsolutePercentageError: number | null;
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

/**
 * Judges a regressor with scikit-learn's definitions.
 * Source: sklearn.metrics.mean_squared_error, mean_absolute_error, median_absolute_error, r2_score,
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
    r2: spread === 0 ? null : 1 - squared / spread,
    explainedVariance: spread === 0 ? null : 1 - meanSquare(errors, mean(errors)) / spread,
    meanAbsolutePercentageError: truth.includes(0)
      ? null
      : mean(distances.map((distance, row) => distance / Math.abs(truth[row] as number))),
  };
};
