const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

interface Margins {
  readonly rows: number;
  readonly hits: number;
  readonly trueCounts: readonly number[];
  readonly predictedCounts: readonly number[];
}

const marginsOf = (confusion: readonly (readonly number[])[]): Margins => ({
  rows: sum(confusion.map(sum)),
  hits: sum(confusion.map((counts, c) => counts[c] ?? 0)),
  trueCounts: confusion.map(sum),
  predictedCounts: confusion.map((_, column) => sum(confusion.map((counts) => counts[column] ?? 0))),
});

const product = (a: readonly number[], b: readonly number[]): number => sum(a.map((value, i) => value * (b[i] ?? 0)));

/**
 * Cohen's kappa: agreement beyond that of chance, at most 1.
 * @param confusion [classes][classes], rows are true classes.
 * @returns 0 where it is undefined because only one class occurs on both sides. Source: sklearn.metrics.cohen_kappa_score.
 */
export const cohenKappa = (confusion: readonly (readonly number[])[]): number => {
  const { rows, hits, trueCounts, predictedCounts } = marginsOf(confusion);
  const byChance = product(trueCounts, predictedCounts) / rows;
  return rows === byChance || rows === 0 ? 0 : (hits - byChance) / (rows - byChance);
};

/**
 * Matthews correlation coefficient for any number of classes, in [−1, 1].
 * @param confusion [classes][classes], rows are true classes.
 * @returns 0 where a side holds one class only. Source: sklearn.metrics.matthews_corrcoef.
 */
export const matthewsCorrelation = (confusion: readonly (readonly number[])[]): number => {
  const { rows, hits, trueCounts, predictedCounts } = marginsOf(confusion);
  const covariance = hits * rows - product(trueCounts, predictedCounts);
  const spread = (counts: readonly number[]): number => rows * rows - product(counts, counts);
  const scale = Math.sqrt(spread(trueCounts) * spread(predictedCounts));
  return scale === 0 ? 0 : covariance / scale;
};
