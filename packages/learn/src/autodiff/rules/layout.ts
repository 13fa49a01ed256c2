import { integerAttribute, integersAttribute } from "../../onnx/attributes.ts";
import type { Value } from "../../onnx/graph.ts";
import { normaliseAxis, requireStatic } from "../../onnx/shape.ts";
import { firstOf, type GradientInput, type GradientRule, inputOf } from "../rule.ts";

/** Reshape, Flatten, Squeeze and Unsqueeze: the gradient takes the input's shape again. */
const reshapeBack: GradientRule = (input) => {
  const { builder } = input;
  const shape = requireStatic(inputOf(input, 0).shape, "The gradient of a reshape");
  return [builder.apply("Reshape", [firstOf(input).dy, builder.integers(shape)])];
};

const transpose: GradientRule = (input) => {
  const rank = inputOf(input, 0).shape.length;
  const order =
    integersAttribute(input.node.attributes, "perm") ?? Array.from({ length: rank }, (_, i) => rank - 1 - i);
  const perm = order.map((_, axis) => order.indexOf(axis));
  return [input.builder.apply("Transpose", [firstOf(input).dy], { attributes: { perm } })];
};

const sliceOf = (
  input: GradientInput,
  dy: Value,
  part: { readonly axis: number; readonly start: number; readonly end: number },
): Value => {
  const { builder } = input;
  const list = (value: number): Value => builder.integers([value]);
  return builder.apply("Slice", [dy, list(part.start), list(part.end), list(part.axis)]);
};

const concat: GradientRule = (input) => {
  const { dy } = firstOf(input);
  const axis = normaliseAxis(integerAttribute(input.node.attributes, "axis", 0), dy.shape.length);
  let start = 0;
  return input.inputs.map((value, index) => {
    const length = requireStatic([value?.shape[axis] ?? 0], "The gradient of Concat")[0] ?? 0;
    const part = { axis, start, end: start + length };
    start += length;
    return input.wanted[index] ? sliceOf(input, dy, part) : undefined;
  });
};

const expand: GradientRule = (input) => {
  const { builder } = input;
  const { dy } = firstOf(input);
  const x = inputOf(input, 0);
  const missing = dy.shape.length - x.shape.length;
  const axes = dy.shape.flatMap((length, axis) =>
    axis < missing || (x.shape[axis - missing] === 1 && length !== 1) ? [axis] : [],
  );
  if (axes.length === 0) return [dy];
  const sum = builder.apply("ReduceSum", [dy, builder.integers(axes)], { attributes: { keepdims: 1 } });
  return [builder.apply("Reshape", [sum, builder.integers(requireStatic(x.shape, "The gradient of Expand"))])];
};

/** Gradients of operators that move elements. */
export const layoutRules: Readonly<Record<string, GradientRule>> = {
  Reshape: reshapeBack,
  Flatten: reshapeBack,
  Squeeze: reshapeBack,
  Unsqueeze: reshapeBack,
  Transpose: transpose,
  Concat: concat,
  Expand: expand,
};
