import { integerAttribute, integersAttribute } from "../attributes.ts";
import { normaliseAxis } from "../shape.ts";
import type { Dimension } from "../tensor.ts";
import { constantAt, inputAt } from "./rule.ts";
import type { InferenceInput, InferenceRule } from "./rule.ts";

/** Axes that a reduction runs over; an attribute in older operator sets, an input since. */
const reducedAxes = (node: InferenceInput): number[] => {
  const rank = inputAt(node, 0).shape.length;
  const axes = integersAttribute(node.attributes, "axes") ?? constantAt(node, 1);
  if (axes === undefined || axes.length === 0) {
    return integerAttribute(node.attributes, "noop_with_empty_axes", 0) === 1
      ? []
      : Array.from({ length: rank }, (_, i) => i);
  }
  return axes.map((axis) => normaliseAxis(axis, rank));
};

const reduce: InferenceRule = (node) => {
  const { dtype, shape } = inputAt(node, 0);
  const axes = new Set(reducedAxes(node));
  const keep = integerAttribute(node.attributes, "keepdims", 1) === 1;
  const reduced = shape.flatMap<Dimension>((length, axis) => (axes.has(axis) ? (keep ? [1] : []) : [length]));
  return [{ dtype, shape: reduced }];
};

const argument: InferenceRule = (node) => {
  const { shape } = inputAt(node, 0);
  const axis = normaliseAxis(integerAttribute(node.attributes, "axis", 0), shape.length);
  const keep = integerAttribute(node.attributes, "keepdims", 1) === 1;
  return [{ dtype: "int64", shape: keep ? shape.with(axis, 1) : shape.toSpliced(axis, 1) }];
};

/** Reductions over axes. */
export const reductionInference: Readonly<Record<string, InferenceRule>> = {
  ReduceSum: reduce,
  ReduceMean: reduce,
  ReduceMax: reduce,
  ReduceMin: reduce,
  ReduceProd: reduce,
  ReduceL1: reduce,
  ReduceL2: reduce,
  ReduceLogSum: reduce,
  ReduceLogSumExp: reduce,
  ReduceSumSquare: reduce,
  ArgMax: argument,
  ArgMin: argument,
};
