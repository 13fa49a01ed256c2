import { elementCount } from "../onnx/tensor.ts";
import type { ResolvedModel } from "./resolve.ts";

const count = (value: number): string => value.toLocaleString("en-US");

/** A model as a table in text: layers, output shapes (the batch is `None`, as in Keras), parameters. */
export const summarize = (model: ResolvedModel): string => {
  const rows = model.layers
    .filter((layer) => layer.kind !== undefined && layer.layer !== "Model")
    .map((layer) => [
      `${layer.name} (${layer.layer})`,
      `(None, ${layer.outputShape.join(", ")})`,
      count(layer.weights.reduce((sum, weight) => sum + elementCount(weight.shape), 0)),
    ]);
  const table = [["Layer (type)", "Output shape", "Parameters"], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row.map((cell, i) => (i === 2 ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0))).join("  ");
  const rule = "─".repeat(widths.reduce((sum, width) => sum + width, 4));
  const weights = model.layers.flatMap((layer) => layer.weights);
  const total = (trainable: boolean): number =>
    weights.filter((w) => w.trainable === trainable).reduce((sum, w) => sum + elementCount(w.shape), 0);
  return [
    `Model: ${model.name}`,
    rule,
    line(table[0] ?? []),
    rule,
    ...rows.map(line),
    rule,
    `Trainable parameters: ${count(total(true))}`,
    `Other parameters: ${count(total(false))}`,
  ].join("\n");
};
