import type { Evaluation, Slice } from "@modelyard/contracts";
import { formatCount, formatMetric } from "./numbers.ts";
import { sparkline } from "./sparkline.ts";
import { formatTable } from "./table.ts";

type Classification = Extract<Evaluation, { kind: "classification" }>;
type Regression = Extract<Evaluation, { kind: "regression" }>;

/** Most classes whose confusion matrix still fits on a screen. */
const matrixClassesMax = 20;
const curveColumns = 32;

const shorten = (label: string, width: number): string =>
  label.length <= width ? label : `${label.slice(0, width - 1)}…`;

/** Figures with their names, those that are missing left out. Old artefacts lack some. */
const figureList = (figures: readonly (readonly [string, number | null | undefined])[]): string =>
  figures
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => `${name} ${formatMetric(value)}`)
    .join(", ");

const classTable = (evaluation: Classification): string => {
  const classes = evaluation.perClass.map(({ label, precision, recall, f1, support }) => [
    shorten(label, 16),
    formatMetric(precision),
    formatMetric(recall),
    formatMetric(f1),
    support,
  ]);
  const averages = (["macro", "weighted"] as const).map((name) => {
    const { precision, recall, f1 } = evaluation[name];
    return [`${name} average`, formatMetric(precision), formatMetric(recall), formatMetric(f1), evaluation.rows];
  });
  return formatTable(["class", "precision", "recall", "F1", "rows"], [...classes, ...averages]);
};

const confusionTable = ({ perClass, confusion }: Classification): string => {
  if (perClass.length > matrixClassesMax) return "";
  const labels = perClass.map(({ label }) => shorten(label, 8));
  const matrix = confusion.map((counts, row) => [labels[row] ?? "", ...counts]);
  return `\nConfusion matrix (rows: true, columns: predicted)\n${formatTable(["", ...labels], matrix)}`;
};

/** Heights of a curve at evenly spaced places from 0 to 1; between two points the higher one counts. */
const sampled = (x: readonly number[], y: readonly number[]): number[] =>
  Array.from({ length: curveColumns }, (_, column) => {
    const place = column / (curveColumns - 1);
    return y.reduce((height, value, i) => ((x[i] ?? 0) <= place ? Math.max(height, value) : height), 0);
  });

const curveLines = ({ curves, perClass }: Classification): string => {
  if (curves === null || curves === undefined) return "";
  const { roc, precisionRecall } = curves;
  // Precision is read from the right: the best that is reached at this recall or more.
  const precision = sampled(
    precisionRecall.recall.map((recall) => 1 - recall),
    precisionRecall.precision,
  ).toReversed();
  const line = (heights: readonly number[]): string => sparkline(heights, curveColumns, [0, 1]);
  const rows = [
    ["true by false positive rate", line(sampled(roc.falsePositiveRate, roc.truePositiveRate))],
    ["precision by recall", line(precision)],
  ];
  return `\nCurves of ${shorten(perClass[1]?.label ?? "", 40)}, both axes from 0 to 1\n${formatTable(["", ""], rows)}`;
};

const sliceTable = (slices: readonly Slice[] | null | undefined): string => {
  const [first] = slices ?? [];
  if (slices === null || slices === undefined || first === undefined) return "";
  const names = Object.keys(first.figures);
  const rows = slices.map(({ column, category, rows: count, figures }) => [
    shorten(column, 20),
    category === null ? "–" : shorten(category, 20),
    count,
    ...names.map((name) => formatMetric(figures[name])),
  ]);
  return `\nBy category\n${formatTable(["column", "category", "rows", ...names], rows)}`;
};

const classification = (evaluation: Classification): string => {
  const { topK } = evaluation;
  const whole = figureList([
    ["accuracy", evaluation.accuracy],
    ["balanced accuracy", evaluation.balancedAccuracy],
    [`top-${topK?.k ?? 0}`, topK?.accuracy],
    ["kappa", evaluation.cohenKappa],
    ["MCC", evaluation.matthewsCorrelation],
  ]);
  const ranked = figureList([
    ["log loss", evaluation.logLoss],
    ["Brier", evaluation.brierScore],
    ["calibration error", evaluation.calibrationError],
    ["ROC AUC", evaluation.rocAuc],
    ["average precision", evaluation.averagePrecision],
  ]);
  return (
    `${whole}\n${ranked === "" ? "" : `${ranked}\n`}\n${classTable(evaluation)}${confusionTable(evaluation)}` +
    `${curveLines(evaluation)}${sliceTable(evaluation.slices)}`
  );
};

const regression = (evaluation: Regression): string => {
  const figures = figureList([
    ["MAE", evaluation.meanAbsoluteError],
    ["RMSE", evaluation.rootMeanSquaredError],
    ["R²", evaluation.r2],
    ["explained variance", evaluation.explainedVariance],
    ["median absolute error", evaluation.medianAbsoluteError],
    ["largest error", evaluation.maxError],
  ]);
  return `${figures}\n${sliceTable(evaluation.slices)}`;
};

/** What a model scored: its figures, a table per class with the confusion matrix, curves and slices. */
export const formatEvaluation = (evaluation: Evaluation): string => {
  const { rows, split, loss } = evaluation;
  const head = `Evaluation on ${formatCount(rows)} ${split} rows: loss ${formatMetric(loss)}, `;
  return head + (evaluation.kind === "regression" ? regression(evaluation) : classification(evaluation));
};
