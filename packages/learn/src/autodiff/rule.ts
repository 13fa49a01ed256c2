import type { GraphBuilder } from "../onnx/builder.ts";
import type { Node, Value } from "../onnx/graph.ts";
import { requireStatic } from "../onnx/shape.ts";

/** What a gradient rule sees of one node. */
export interface GradientInput {
  readonly builder: GraphBuilder;
  readonly node: Node;
  /** The node's inputs; an optional input left out is undefined. */
  readonly inputs: readonly (Value | undefined)[];
  readonly outputs: readonly Value[];
  /** Gradient of the loss with respect to each output; undefined where the loss does not depend on it. */
  readonly upstream: readonly (Value | undefined)[];
  /** Whether the gradient of an input is wanted at all. */
  readonly wanted: readonly boolean[];
}

/** Adds the nodes that compute the gradients of a node's inputs, in their order; undefined where there is none. */
export type GradientRule = (input: GradientInput) => readonly (Value | undefined)[];

/** An input that the operator always has. */
export const inputOf = (input: GradientInput, index: number): Value => {
  const value = input.inputs[index];
  if (value === undefined) throw new RangeError(`${input.node.operator} lacks its input ${index}.`);
  return value;
};

/** Gradient of the first output, and that output. */
export const firstOf = (input: GradientInput): { readonly dy: Value; readonly y: Value } => {
  const [dy] = input.upstream;
  const [y] = input.outputs;
  if (dy === undefined || y === undefined) throw new RangeError(`${input.node.operator} has no gradient to pass on.`);
  return { dy, y };
};

/** Sums a gradient over the axes along which its value was broadcast, so that it has the value's shape again. */
export const unbroadcast = (builder: GraphBuilder, gradient: Value, value: Value): Value => {
  const missing = gradient.shape.length - value.shape.length;
  const axes = gradient.shape.flatMap((length, axis) =>
    axis < missing || (value.shape[axis - missing] === 1 && length !== 1) ? [axis] : [],
  );
  if (axes.length === 0) return gradient;
  const sum = builder.apply("ReduceSum", [gradient, builder.integers(axes)], { attributes: { keepdims: 1 } });
  if (missing === 0) return sum;
  const leading = Array.from({ length: missing }, (_, axis) => axis);
  return builder.apply("Squeeze", [sum, builder.integers(leading)]);
};

/** What the derivative of a function of one argument is made of. */
export interface Unary {
  readonly builder: GraphBuilder;
  readonly x: Value;
  readonly y: Value;
  readonly dy: Value;
  readonly input: GradientInput;
}

/** The rule of a function of one argument. */
export const unary =
  (derivative: (unary: Unary) => Value): GradientRule =>
  (input) => {
    const { dy, y } = firstOf(input);
    return [derivative({ builder: input.builder, x: inputOf(input, 0), y, dy, input })];
  };

/** Zeros of a value's shape and type. */
export const zerosLike = (builder: GraphBuilder, value: Value): Value =>
  builder.apply("Expand", [
    builder.scalarLike(value, 0),
    builder.integers(requireStatic(value.shape, "The gradient of an indexing")),
  ]);
