import type { Prediction, Signature } from "@modelyard/contracts";
import { classProbabilities } from "@modelyard/learn";
import type { Tensor } from "../runtimes/index.ts";
import { rowsJson } from "./row-tensors.ts";
import type { AnsweringModel } from "./write-inference-response.ts";

type ClassesOutput = Extract<Signature["output"], { kind: "classes" }>;

/** The likeliest class of each row, and the probability of every class. */
const classesOf = (
  values: Float32Array,
  { width, output }: { readonly width: number; readonly output: ClassesOutput },
): Prediction[] => {
  const { labels } = output;
  const classes = width === 1 && labels.length === 2 ? 2 : width;
  const probabilities = classProbabilities(values, { classes, width, logits: output.scores === "logits" });
  return Array.from({ length: width === 0 ? 0 : values.length / width }, (_, row): Prediction => {
    const scores = [...probabilities.subarray(row * classes, (row + 1) * classes)];
    const best = scores.indexOf(Math.max(...scores));
    return {
      label: labels[best] ?? String(best),
      probability: scores[best] ?? Number.NaN,
      probabilities: Object.fromEntries(scores.map((score, i) => [labels[i] ?? String(i), score])),
    };
  });
};

/** The model's outputs as predictions, one per row, in words of the signature. */
export const toPredictions = (
  outputs: readonly Tensor[],
  signature: Pick<Signature, "output">,
  names: AnsweringModel["outputs"],
): Prediction[] => {
  const [output] = outputs;
  if (output === undefined) return [];
  if (signature.output.kind === "tensors") {
    return rowsJson(outputs, names).map((row) => ({ value: JSON.parse(row) as NonNullable<Prediction["value"]> }));
  }
  const rows = output.shape[0] ?? 0;
  const width = rows === 0 ? 0 : output.data.length / rows;
  const values = Float32Array.from({ length: output.data.length }, (_, i) => Number(output.data[i]));
  if (signature.output.kind === "classes") return classesOf(values, { width, output: signature.output });
  const { kind } = signature.output;
  return Array.from({ length: rows }, (_, row): Prediction => {
    const own = [...values.subarray(row * width, (row + 1) * width)];
    return { value: kind === "number" ? (own[0] ?? Number.NaN) : own };
  });
};
