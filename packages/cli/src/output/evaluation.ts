import type { Evaluation } from "@modelyard/contracts";
import { formatCount, formatMetric } from "./numbers.ts";
import { formatTable } from "./table.ts";

const shorten = (label: string, width: number): string =>
  label.length <= width ? label : `${label.slice(0, width - 1)}…`;

/** What a model scored, with a table per class and the confusion matrix. */
export const formatEvaluation = (evaluation: Evaluation): string => {
  const head = `Evaluation on ${formatCount(evaluation.rows)} ${evaluation.split} rows: loss ${formatMetric(evaluation.loss)}`;
  if (evaluation.kind === "regression") {
    const { meanAbsoluteError, rootMeanSquaredError, r2 } = evaluation;
    return `${head}, MAE ${formatMetric(meanAbsoluteError)}, RMSE ${formatMetric(rootMeanSquaredError)}, R² ${formatMetric(r2)}\n`;
  }
  const top = evaluation.topK === null ? "" : `, top-${evaluation.topK.k} ${formatMetric(evaluation.topK.accuracy)}`;
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
  const labels = evaluation.perClass.map(({ label }) => shorten(label, 8));
  const matrix = evaluation.confusion.map((counts, row) => [labels[row] ?? "", ...counts]);
  const confusion =
    labels.length <= 20
      ? `\nConfusion matrix (rows: true, columns: predicted)\n${formatTable(["", ...labels], matrix)}`
      : "";
  return (
    `${head}, accuracy ${formatMetric(evaluation.accuracy)}${top}\n\n` +
    `${formatTable(["class", "precision", "recall", "F1", "rows"], [...classes, ...averages])}${confusion}`
  );
};
