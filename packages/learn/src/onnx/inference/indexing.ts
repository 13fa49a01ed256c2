import { integerAttribute, integersAttribute, isTensor } from "../attributes.ts";
import { normaliseAxis, requireStatic } from "../shape.ts";
import { formatShape } from "../tensor.ts";
import type { Dimension, TensorType } from "../tensor.ts";
import { constantAt, dimensionsAt, inputAt } from "./rule.ts";
import type { InferenceInput, InferenceRule } from "./rule.ts";
import { LearnError } from "../../errors.ts";

const gather: InferenceRule = (node) => {
  const [data, indices] = [inputAt(node, 0), inputAt(node, 1)];
  const axis = normaliseAxis(integerAttribute(node.attributes, "axis", 0), data.shape.length);
  return [{ dtype: data.dtype, shape: data.shape.toSpliced(axis, 1, ...indices.shape) }];
};

const gatherNd: InferenceRule = (node) => {
  const [data, indices] = [inputAt(node, 0), inputAt(node, 1)];
  const batch = integerAttribute(node.attributes, "batch_dims", 0);
  const [depth = 1] = requireStatic(indices.shape.slice(-1), "The indices of GatherND");
  return [{ dtype: data.dtype, shape: [...indices.shape.slice(0, -1), ...data.shape.slice(batch + depth)] }];
};

const likeIndices: InferenceRule = (node) => [{ dtype: inputAt(node, 0).dtype, shape: inputAt(node, 1).shape }];

const likeData: InferenceRule = (node) => [inputAt(node, 0)];

/** Lengths of the parts: an input or attribute, or as even as they get. */
const splitLengths = (node: InferenceInput): readonly number[] => {
  const { shape } = inputAt(node, 0);
  const axis = normaliseAxis(integerAttribute(node.attributes, "axis", 0), shape.length);
  const given =
    integersAttribute(node.attributes, "split") ?? (node.inputs[1] === undefined ? undefined : constantAt(node, 1));
  if (given !== undefined) return given;
  const [length = 0] = requireStatic([shape[axis] ?? 0], "The axis of Split");
  const count = integerAttribute(node.attributes, "num_outputs", node.outputCount);
  const part = Math.ceil(length / count);
  return Array.from({ length: count }, (_, index) => Math.min(part, length - part * index));
};

const split: InferenceRule = (node) => {
  const { dtype, shape } = inputAt(node, 0);
  const axis = normaliseAxis(integerAttribute(node.attributes, "axis", 0), shape.length);
  const lengths = splitLengths(node);
  const whole = lengths.reduce((sum, length) => sum + length, 0);
  if (typeof shape[axis] === "number" && whole !== shape[axis]) {
    throw new LearnError("shape-mismatch", `Split makes ${whole} of axis ${axis} of ${formatShape(shape)}.`);
  }
  return lengths.map((length): TensorType => ({ dtype, shape: shape.with(axis, length) }));
};

const topK: InferenceRule = (node) => {
  const { dtype, shape } = inputAt(node, 0);
  const axis = normaliseAxis(integerAttribute(node.attributes, "axis", -1), shape.length);
  const chosen = shape.with(axis, constantAt(node, 1)?.[0] ?? 1);
  return [
    { dtype, shape: chosen },
    { dtype: "int64", shape: chosen },
  ];
};

const tile: InferenceRule = (node) => {
  const { dtype, shape } = inputAt(node, 0);
  const repeats = constantAt(node, 1) ?? [];
  const lengths = shape.map((length, axis): Dimension => {
    const times = repeats[axis] ?? 1;
    if (times === 1) return length;
    return typeof length === "number" ? length * times : `${length}*${times}`;
  });
  return [{ dtype, shape: lengths }];
};

const shape: InferenceRule = (node) => {
  const rank = inputAt(node, 0).shape.length;
  const start = integerAttribute(node.attributes, "start", 0);
  const end = integerAttribute(node.attributes, "end", rank);
  return [{ dtype: "int64", shape: [inputAt(node, 0).shape.slice(start, end).length] }];
};

const constantOfShape: InferenceRule = (node) => {
  const value = node.attributes["value"];
  const dtype = value !== undefined && isTensor(value) ? value.dtype : "float32";
  return [{ dtype, shape: dimensionsAt(node, 0) ?? [] }];
};

const range: InferenceRule = (node) => {
  const [start = 0, limit = 0, delta = 1] = [0, 1, 2].map((index) => constantAt(node, index)?.[0]);
  return [{ dtype: inputAt(node, 0).dtype, shape: [Math.max(Math.ceil((limit - start) / delta), 0)] }];
};

/** Operators that pick, spread and repeat elements. */
export const indexingInference: Readonly<Record<string, InferenceRule>> = {
  Gather: gather,
  GatherElements: likeIndices,
  GatherND: gatherNd,
  ScatterElements: likeData,
  ScatterND: likeData,
  Split: split,
  TopK: topK,
  Tile: tile,
  Shape: shape,
  ConstantOfShape: constantOfShape,
  Range: range,
};
