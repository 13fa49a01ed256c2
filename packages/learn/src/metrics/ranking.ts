/** Points of a receiver operating characteristic, from the strictest threshold to the loosest. */
export interface RocCurve {
  readonly falsePositiveRate: readonly number[];
  readonly truePositiveRate: readonly number[];
  /** Lowest score that counts as positive at each point; the first is infinite: nothing is positive. */
  readonly thresholds: readonly number[];
}

/** Points of a precision-recall curve, from the loosest threshold to the strictest. */
export interface PrecisionRecallCurve {
  /** One more than thresholds: the last point is precision 1 at recall 0. */
  readonly precision: readonly number[];
  readonly recall: readonly number[];
  readonly thresholds: readonly number[];
}

/** What a binary ranking is judged by. */
export interface RankingInput {
  /** [rows]; 1 for the positive class, 0 for the other. */
  readonly truth: ArrayLike<number>;
  /** [rows]; the higher, the more positive. */
  readonly scores: ArrayLike<number>;
}

interface Steps {
  readonly thresholds: number[];
  /** Negatives and positives with a score of at least the threshold. */
  readonly falsePositives: number[];
  readonly truePositives: number[];
}

/** Counts at every distinct score, highest first; equal scores are one step. */
const stepsOf = ({ truth, scores }: RankingInput): Steps => {
  const order = Uint32Array.from({ length: scores.length }, (_, row) => row);
  order.sort((a, b) => (scores[b] as number) - (scores[a] as number));
  const steps: Steps = { thresholds: [], falsePositives: [], truePositives: [] };
  let positives = 0;
  for (let i = 0; i < order.length; i++) {
    const row = order[i] as number;
    if (truth[row] === 1) positives++;
    const score = scores[row] as number;
    if (i + 1 < order.length && scores[order[i + 1] as number] === score) continue;
    steps.thresholds.push(score);
    steps.truePositives.push(positives);
    steps.falsePositives.push(i + 1 - positives);
  }
  return steps;
};

/** Whether the curve bends at a step: the point between two equal steps lies on a straight line. */
const bends = (counts: readonly number[], i: number): boolean =>
  (counts[i + 1] ?? 0) - (counts[i] ?? 0) !== (counts[i] ?? 0) - (counts[i - 1] ?? 0);

/**
 * Receiver operating characteristic without the points that lie on a line between their neighbours.
 * @returns `null` when only one class occurs. Source: sklearn.metrics.roc_curve.
 */
export const rocCurve = (input: RankingInput): RocCurve | null => {
  const { thresholds, falsePositives, truePositives } = stepsOf(input);
  const [negatives, positives] = [falsePositives.at(-1) ?? 0, truePositives.at(-1) ?? 0];
  if (negatives === 0 || positives === 0) return null;
  const kept = thresholds
    .map((_, i) => i)
    .filter((i) => i === 0 || i === thresholds.length - 1 || bends(falsePositives, i) || bends(truePositives, i));
  return {
    falsePositiveRate: [0, ...kept.map((i) => (falsePositives[i] ?? 0) / negatives)],
    truePositiveRate: [0, ...kept.map((i) => (truePositives[i] ?? 0) / positives)],
    thresholds: [Number.POSITIVE_INFINITY, ...kept.map((i) => thresholds[i] ?? 0)],
  };
};

/**
 * Precision and recall at every distinct score.
 * @returns `null` when there is no positive row. Source: sklearn.metrics.precision_recall_curve.
 */
export const precisionRecallCurve = (input: RankingInput): PrecisionRecallCurve | null => {
  const { thresholds, falsePositives, truePositives } = stepsOf(input);
  const positives = truePositives.at(-1) ?? 0;
  if (positives === 0) return null;
  const precision = truePositives.map((count, i) => count / (count + (falsePositives[i] ?? 0)));
  return {
    precision: [...precision.toReversed(), 1],
    recall: [...truePositives.map((count) => count / positives).toReversed(), 0],
    thresholds: thresholds.toReversed(),
  };
};

/**
 * Area under the receiver operating characteristic, by trapezoids.
 * @returns `null` when only one class occurs. Source: sklearn.metrics.roc_auc_score.
 */
export const rocAuc = (input: RankingInput): number | null => {
  const curve = rocCurve(input);
  if (curve === null) return null;
  const { falsePositiveRate: x, truePositiveRate: y } = curve;
  let area = 0;
  for (let i = 1; i < x.length; i++) {
    area += ((x[i] ?? 0) - (x[i - 1] ?? 0)) * (((y[i] ?? 0) + (y[i - 1] ?? 0)) / 2);
  }
  return area;
};

/**
 * Mean of the precisions weighted by the gain in recall, without interpolation.
 * @returns `null` when there is no positive row. Source: sklearn.metrics.average_precision_score.
 */
export const averagePrecision = (input: RankingInput): number | null => {
  const curve = precisionRecallCurve(input);
  if (curve === null) return null;
  const { precision, recall } = curve;
  let sum = 0;
  for (let i = 0; i + 1 < recall.length; i++) sum += ((recall[i] ?? 0) - (recall[i + 1] ?? 0)) * (precision[i] ?? 0);
  return sum;
};

/** Class numbers and scores of several classes. */
export interface MulticlassRankingInput {
  /** [rows]. */
  readonly trueClasses: ArrayLike<number>;
  /** [rows, classes], row-major. */
  readonly scores: ArrayLike<number>;
  readonly classes: number;
}

/** Areas under the curve of a classifier of several classes. */
export interface MulticlassRocAuc {
  /** Each class against the rest, plain mean. */
  readonly ovrMacro: number;
  /** Each class against the rest, weighted by the class's rows. */
  readonly ovrWeighted: number;
  /** Each pair of classes in both directions, plain mean (Hand and Till). */
  readonly ovoMacro: number;
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Area of one class's scores, over the rows of two classes only. */
const pairAuc = (
  { trueClasses, scores, classes }: MulticlassRankingInput,
  rows: readonly number[],
  positive: number,
): number =>
  rocAuc({
    truth: rows.map((row) => (trueClasses[row] === positive ? 1 : 0)),
    scores: rows.map((row) => scores[row * classes + positive] as number),
  }) ?? Number.NaN;

/**
 * Areas under the curve of a classifier of several classes.
 * @returns `null` when a class does not occur. Source: sklearn.metrics.roc_auc_score with multi_class.
 */
export const multiclassRocAuc = (input: MulticlassRankingInput): MulticlassRocAuc | null => {
  const { trueClasses, scores, classes } = input;
  const rowsOf = Array.from({ length: classes }, (): number[] => []);
  for (let row = 0; row < trueClasses.length; row++) rowsOf[trueClasses[row] as number]?.push(row);
  if (rowsOf.some((rows) => rows.length === 0)) return null;
  const againstRest = rowsOf.map(
    (_, c) =>
      rocAuc({
        truth: Array.from(trueClasses, (truth) => (truth === c ? 1 : 0)),
        scores: Array.from({ length: trueClasses.length }, (__, row) => scores[row * classes + c] as number),
      }) ?? Number.NaN,
  );
  const pairs: number[] = [];
  for (let a = 0; a < classes; a++) {
    for (let b = a + 1; b < classes; b++) {
      const rows = [...(rowsOf[a] ?? []), ...(rowsOf[b] ?? [])];
      pairs.push((pairAuc(input, rows, a) + pairAuc(input, rows, b)) / 2);
    }
  }
  const weighted = againstRest.reduce((sum, area, c) => sum + area * (rowsOf[c]?.length ?? 0), 0);
  return { ovrMacro: mean(againstRest), ovrWeighted: weighted / trueClasses.length, ovoMacro: mean(pairs) };
};

/** Indices of at most `pointsMax` points of a curve, evenly spaced, with both ends. */
export const thinned = (points: number, pointsMax: number): number[] => {
  if (points <= pointsMax) return Array.from({ length: points }, (_, i) => i);
  return Array.from({ length: pointsMax }, (_, i) => Math.round((i * (points - 1)) / (pointsMax - 1)));
};
