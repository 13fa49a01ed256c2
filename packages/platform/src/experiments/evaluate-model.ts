import type { Evaluation } from "@modelyard/contracts";
import { classificationReport, type Learner, regressionReport } from "@modelyard/learn";
import type { TrainingData } from "./load-training-data.ts";
import type { TrainingPlan } from "./plan-training.ts";

/** Rank within which the true class must be for top-k accuracy. */
const topK = 5;

/** Classes of the rows, and a probability per class: one output is that of the second of two classes. */
const spread = (scores: Float32Array, classes: number, width: number): Float32Array => {
  if (width === classes) return scores;
  return Float32Array.from({ length: scores.length * 2 }, (_, i) => {
    const positive = scores[i >> 1] ?? 0;
    return i % 2 === 1 ? positive : 1 - positive;
  });
};

/** Judges a trained model on rows that it did not learn from. */
export const evaluateModel = async (
  learner: Learner,
  plan: TrainingPlan,
  { split, data }: { readonly split: string; readonly data: TrainingData },
): Promise<Evaluation> => {
  const { loss = 0 } = await learner.evaluate(data.x, data.y);
  const predicted = await learner.predict(data.x);
  if (plan.labels === null) {
    const figures = regressionReport({ trueValues: data.y.values, predictedValues: predicted.values });
    return { kind: "regression", split, rows: data.rows, loss, ...figures };
  }
  const classes = plan.labels.length;
  const report = classificationReport({
    trueClasses: data.y.values,
    scores: spread(predicted.values, classes, predicted.shape.at(-1) ?? classes),
    classes,
    topK: classes > topK ? topK : null,
  });
  const perClass = report.perClass.map((figures, i) => ({ label: plan.labels?.[i] ?? String(i), ...figures }));
  return { kind: "classification", split, rows: data.rows, loss, ...report, perClass };
};
