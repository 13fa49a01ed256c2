import { cohenKappa, matthewsCorrelation } from "./agreement.ts";

/** Precision, recall and their harmonic mean, each in [0, 1]; 0 where a denominator is 0, as scikit-learn's zero_division=0. */
export interface PrecisionRecall {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

/** Figures of one class with the number of its true rows. */
export interface ClassFigures extends PrecisionRecall {
  readonly support: number;
}

/** What {@link classificationReport} judges. */
export interface ClassificationInput {
  /** Class numbers [rows], whole numbers in 0…classes−1. */
  readonly trueClasses: ArrayLike<number>;
  /** Scores [rows, classes], row-major; the highest is the predicted class, the first of equal ones. */
  readonly scores: ArrayLike<number>;
  readonly classes: number;
  /** Rank for top-k accuracy; `null` leaves it out. */
  readonly topK: number | null;
}

/** Figures of a classifier. */
export interface ClassificationReport {
  readonly accuracy: number;
  /** Mean recall over the classes that occur. */
  readonly balancedAccuracy: number;
  /** Agreement beyond chance. */
  readonly cohenKappa: number;
  readonly matthewsCorrelation: number;
  readonly topK: { readonly k: number; readonly accuracy: number } | null;
  /** Plain mean over the classes. */
  readonly macro: PrecisionRecall;
  /** Over all decisions together. */
  readonly micro: PrecisionRecall;
  /** Mean over the classes, weighted by support. */
  readonly weighted: PrecisionRecall;
  readonly perClass: ClassFigures[];
  /** Rows are true classes, columns predicted ones. */
  readonly confusion: number[][];
}

const ratio = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/**
 * Counts how often each class [row] was taken for each class [column].
 * @param trueClasses Class numbers [rows]. @param predictedClasses Class numbers [rows].
 * @returns [classes][classes]. Source: sklearn.metrics.confusion_matrix.
 */
export const confusionMatrix = (
  trueClasses: ArrayLike<number>,
  predictedClasses: ArrayLike<number>,
  classes: number,
): number[][] => {
  const confusion = Array.from({ length: classes }, () => Array.from({ length: classes }, () => 0));
  for (let row = 0; row < trueClasses.length; row++) {
    const counts = confusion[trueClasses[row] as number];
    const column = predictedClasses[row] as number;
    if (counts !== undefined) counts[column] = (counts[column] ?? 0) + 1;
  }
  return confusion;
};

const predictedOf = ({ scores, classes, trueClasses }: ClassificationInput): Uint32Array =>
  Uint32Array.from({ length: trueClasses.length }, (_, row) => {
    let best = 0;
    for (let c = 1; c < classes; c++) {
      if ((scores[row * classes + c] as number) > (scores[row * classes + best] as number)) best = c;
    }
    return best;
  });

/** Share of rows whose true class is among the k highest scores; of equal scores the higher class ranks first, as in scikit-learn. */
const topKAccuracy = ({ scores, classes, trueClasses }: ClassificationInput, k: number): number => {
  let hits = 0;
  for (let row = 0; row < trueClasses.length; row++) {
    const truth = trueClasses[row] as number;
    const score = scores[row * classes + truth] as number;
    let ahead = 0;
    for (let c = 0; c < classes; c++) {
      const other = scores[row * classes + c] as number;
      if (other > score || (other === score && c > truth)) ahead++;
    }
    if (ahead < k) hits++;
  }
  return ratio(hits, trueClasses.length);
};

const harmonic = (precision: number, recall: number): number => ratio(2 * precision * recall, precision + recall);

const averaged = (perClass: readonly ClassFigures[], weights: readonly number[]): PrecisionRecall => {
  const total = sum(weights);
  const mean = (pick: (figures: ClassFigures) => number): number =>
    ratio(sum(perClass.map((figures, i) => pick(figures) * (weights[i] ?? 0))), total);
  return {
    precision: mean(({ precision }) => precision),
    recall: mean(({ recall }) => recall),
    f1: mean(({ f1 }) => f1),
  };
};

/**
 * Judges a classifier with scikit-learn's definitions. Macro averages are over the classes that occur, true or predicted.
 * Source: sklearn.metrics.precision_recall_fscore_support, balanced_accuracy_score, top_k_accuracy_score.
 */
export const classificationReport = (input: ClassificationInput): ClassificationReport => {
  const { trueClasses, classes, topK } = input;
  const rows = trueClasses.length;
  const confusion = confusionMatrix(trueClasses, predictedOf(input), classes);
  const supports = confusion.map(sum);
  const predicted = confusion.map((_, column) => sum(confusion.map((counts) => counts[column] ?? 0)));
  const perClass = confusion.map((counts, c): ClassFigures => {
    const precision = ratio(counts[c] ?? 0, predicted[c] ?? 0);
    const recall = ratio(counts[c] ?? 0, supports[c] ?? 0);
    return { precision, recall, f1: harmonic(precision, recall), support: supports[c] ?? 0 };
  });
  const present = perClass.filter(({ support }, c) => support > 0 || (predicted[c] ?? 0) > 0);
  const accuracy = ratio(sum(confusion.map((counts, c) => counts[c] ?? 0)), rows);
  const recalls = perClass.filter(({ support }) => support > 0).map(({ recall }) => recall);
  return {
    accuracy,
    balancedAccuracy: ratio(sum(recalls), recalls.length),
    cohenKappa: cohenKappa(confusion),
    matthewsCorrelation: matthewsCorrelation(confusion),
    topK: topK === null ? null : { k: topK, accuracy: topKAccuracy(input, topK) },
    macro: averaged(
      present,
      present.map(() => 1),
    ),
    // Every wrong decision is one false positive and one false negative, so all three are the accuracy.
    micro: { precision: accuracy, recall: accuracy, f1: accuracy },
    weighted: averaged(perClass, supports),
    perClass,
    confusion,
  };
};
