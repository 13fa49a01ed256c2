import type { Evaluation, Slice } from "@modelyard/contracts";
import {
  averagePrecision,
  brierScore,
  calibrationError,
  classificationReport,
  classProbabilities,
  type DataArray,
  type Executor,
  LearnError,
  type Learner,
  logLoss,
  multiclassRocAuc,
  precisionRecallCurve,
  regressionReport,
  rocAuc,
  rocCurve,
  thinned,
} from "@modelyard/learn";
import type { TrainingData } from "./load-training-data.ts";
import type { TrainingPlan } from "./plan-training.ts";
import { type SliceColumn, sliceRows } from "./slice-rows.ts";
import { tensorNames } from "./store-artefact.ts";

type Classification = Extract<Evaluation, { kind: "classification" }>;

/** Rank within which the true class must be for top-k accuracy. */
const topK = 5;
/** Most classes for which areas under curves are worked out: pairs grow with the square. */
const rankedClassesMax = 100;
/** Most points of a stored curve. */
const curvePointsMax = 200;

/** Rows that a model is judged on. */
export interface JudgedRows {
  readonly split: string;
  readonly data: TrainingData;
  readonly slices: readonly SliceColumn[];
}

interface Scored {
  readonly trueClasses: ArrayLike<number>;
  /** [rows, classes]. */
  readonly probabilities: Float32Array;
  readonly classes: number;
}

const take = (values: readonly number[], indices: readonly number[]): number[] => indices.map((i) => values[i] ?? 0);

const binaryFigures = ({ trueClasses, probabilities }: Scored) => {
  const scores = Float64Array.from(trueClasses, (_, row) => probabilities[row * 2 + 1] ?? 0);
  const ranking = { truth: trueClasses, scores };
  const [roc, pr] = [rocCurve(ranking), precisionRecallCurve(ranking)];
  const rocPoints = thinned(roc?.thresholds.length ?? 0, curvePointsMax);
  const prPoints = thinned(pr?.recall.length ?? 0, curvePointsMax);
  return {
    rocAuc: rocAuc(ranking),
    averagePrecision: averagePrecision(ranking),
    calibrationError: calibrationError(trueClasses, scores),
    curves:
      roc === null || pr === null
        ? null
        : {
            roc: {
              falsePositiveRate: take(roc.falsePositiveRate, rocPoints),
              truePositiveRate: take(roc.truePositiveRate, rocPoints),
            },
            precisionRecall: { precision: take(pr.precision, prPoints), recall: take(pr.recall, prPoints) },
          },
  };
};

type Ranked = Pick<
  Classification,
  "rocAuc" | "rocAucWeighted" | "rocAucPairs" | "averagePrecision" | "calibrationError" | "curves"
>;

const unranked: Ranked = {
  rocAuc: null,
  rocAucWeighted: null,
  rocAucPairs: null,
  averagePrecision: null,
  calibrationError: null,
  curves: null,
};

const rankedFigures = (scored: Scored): Ranked => {
  if (scored.classes === 2) return { ...unranked, ...binaryFigures(scored) };
  if (scored.classes > rankedClassesMax) return unranked;
  const areas = multiclassRocAuc({ ...scored, scores: scored.probabilities });
  if (areas === null) return unranked;
  const { ovrMacro, ovrWeighted, ovoMacro } = areas;
  return { ...unranked, rocAuc: ovrMacro, rocAucWeighted: ovrWeighted, rocAucPairs: ovoMacro };
};

const rowsOf = (scored: Scored, rows: readonly number[]): Scored => ({
  classes: scored.classes,
  trueClasses: rows.map((row) => scored.trueClasses[row] ?? 0),
  probabilities: Float32Array.from(
    rows.flatMap((row) => [...scored.probabilities.subarray(row * scored.classes, (row + 1) * scored.classes)]),
  ),
});

const reportOf = ({ trueClasses, probabilities, classes }: Scored, k: number | null) =>
  classificationReport({ trueClasses, scores: probabilities, classes, topK: k });

const classified = (scored: Scored, labels: readonly string[], slices: readonly SliceColumn[]) => {
  const report = reportOf(scored, scored.classes > topK ? topK : null);
  return {
    ...report,
    perClass: report.perClass.map((figures, i) => ({ label: labels[i] ?? String(i), ...figures })),
    logLoss: logLoss(scored),
    brierScore: brierScore(scored),
    ...rankedFigures(scored),
    slices: sliceRows(slices, (rows): Slice["figures"] => {
      const { accuracy, macro } = reportOf(rowsOf(scored, rows), null);
      return { accuracy, macroF1: macro.f1 };
    }),
  };
};

const regressed = (truth: ArrayLike<number>, predicted: Float32Array, slices: readonly SliceColumn[]) => ({
  ...regressionReport({ trueValues: truth, predictedValues: predicted }),
  slices: sliceRows(slices, (rows): Slice["figures"] => {
    const { meanAbsoluteError, rootMeanSquaredError } = regressionReport({
      trueValues: rows.map((row) => truth[row] ?? 0),
      predictedValues: rows.map((row) => predicted[row] ?? 0),
    });
    return { meanAbsoluteError, rootMeanSquaredError };
  }),
});

/** A trained model and the graph of it that will be served. */
export interface JudgedModel {
  readonly learner: Learner;
  readonly graph: Uint8Array;
  readonly executor: Executor;
}

const rowsPerRun = 256;

/** Answers of the graph that will be served: what is judged is what runs later, to the byte. */
const predictServed = async ({ graph, executor, learner }: JudgedModel, x: DataArray): Promise<Float32Array> => {
  await using session = await executor.load(graph);
  const rows = x.shape[0] ?? 0;
  const width = rows === 0 ? 0 : x.values.length / rows;
  const outputWidth = learner.shapes.output.reduce((product, size) => product * size, 1);
  const predicted = new Float32Array(rows * outputWidth);
  for (let first = 0; first < rows; first += rowsPerRun) {
    const count = Math.min(rowsPerRun, rows - first);
    const values = Float32Array.from(x.values.slice(first * width, (first + count) * width));
    const shape = [count, ...learner.shapes.input];
    const outputs = await session.run({ [tensorNames.inputName]: { dtype: "float32", shape, values } });
    predicted.set(outputs[tensorNames.outputName]?.values as Float32Array, first * outputWidth);
  }
  return predicted;
};

/**
 * Judges a trained model on rows that it did not learn from.
 * @throws LearnError `loss-not-finite` when the model's answers are no numbers: it must not become a version.
 */
export const evaluateModel = async (
  model: JudgedModel,
  plan: TrainingPlan,
  { split, data, slices }: JudgedRows,
): Promise<Evaluation> => {
  const { loss = 0 } = await model.learner.evaluate(data.x, data.y);
  if (!Number.isFinite(loss)) {
    throw new LearnError(
      "loss-not-finite",
      `After the last step the loss on the ${split} rows is ${loss}. Lower the learning rate, clip the gradients, or scale the inputs.`,
    );
  }
  const predicted = await predictServed(model, data.x);
  const head = { split, rows: data.rows, loss };
  if (plan.output.kind !== "classes") {
    return { kind: "regression", ...head, ...regressed(data.y.values, predicted, slices) };
  }
  const { labels, scores } = plan.output;
  const probabilities = classProbabilities(predicted, {
    classes: labels.length,
    width: data.rows === 0 ? labels.length : predicted.length / data.rows,
    logits: scores === "logits",
  });
  const scored = { trueClasses: data.y.values, probabilities, classes: labels.length };
  return { kind: "classification", ...head, ...classified(scored, labels, slices) };
};
