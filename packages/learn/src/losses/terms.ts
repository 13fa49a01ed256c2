import type { GraphBuilder } from "../onnx/builder.ts";
import type { Value } from "../onnx/graph.ts";

/** What a loss compares. */
export interface LossInput {
  /** The model's output [batch, …]. */
  readonly prediction: Value;
  /** Class numbers [batch, …] (int32) for the sparse loss, else values of the prediction's shape. */
  readonly target: Value;
}

/** Losses before they are reduced. */
export interface LossValues {
  /** [batch, …] without the prediction's last axis; a scalar for losses over a whole batch. */
  readonly values: Value;
  /** 1 where a value counts and 0 where it does not; all count when left out. */
  readonly mask?: Value;
}

/** Probabilities are kept this far from 0 and 1 (Keras' backend epsilon). */
export const fuzz = 1e-7;

/** The sum of two values. */
export const plus = (builder: GraphBuilder, a: Value, b: Value): Value => builder.apply("Add", [a, b]);

/** The difference of two values. */
export const minus = (builder: GraphBuilder, a: Value, b: Value): Value => builder.apply("Sub", [a, b]);

/** The product of two values. */
export const times = (builder: GraphBuilder, a: Value, b: Value): Value => builder.apply("Mul", [a, b]);

/** The quotient of two values. */
export const over = (builder: GraphBuilder, a: Value, b: Value): Value => builder.apply("Div", [a, b]);

/** 1 − x. */
export const complement = (builder: GraphBuilder, x: Value): Value => minus(builder, builder.scalarLike(x, 1), x);

/** x · factor. */
export const scaled = (builder: GraphBuilder, x: Value, factor: number): Value =>
  times(builder, x, builder.scalarLike(x, factor));

/** x + offset. */
export const shifted = (builder: GraphBuilder, x: Value, offset: number): Value =>
  plus(builder, x, builder.scalarLike(x, offset));

/** x kept between two limits. */
export const limited = (builder: GraphBuilder, x: Value, limits: readonly [number, number]): Value =>
  builder.apply("Clip", [x, builder.scalarLike(x, limits[0]), builder.scalarLike(x, limits[1])]);

/** x, but at least `low`. */
export const atLeast = (builder: GraphBuilder, x: Value, low: number): Value =>
  builder.apply("Max", [x, builder.scalarLike(x, low)]);

/** The sum over the last axis. */
export const sumLast = (builder: GraphBuilder, x: Value, keep = false): Value =>
  builder.apply("ReduceSum", [x, builder.integers([-1])], { attributes: { keepdims: keep ? 1 : 0 } });

/** The mean over the last axis, which Keras takes of losses element by element; a vector stays. */
export const meanLast = (builder: GraphBuilder, x: Value): Value =>
  x.shape.length < 2 ? x : builder.apply("ReduceMean", [x, builder.integers([-1])], { attributes: { keepdims: 0 } });

/** The square of a value. */
export const squareOf = (builder: GraphBuilder, x: Value): Value => times(builder, x, x);

/** Length of the last axis, which is known for every output. */
export const lastLength = ({ shape }: Value): number => {
  const length = shape.at(-1);
  return typeof length === "number" ? length : 1;
};
