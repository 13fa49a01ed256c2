import type { GraphBuilder } from "../onnx/builder.ts";
import type { Value } from "../onnx/graph.ts";
import {
  atLeast,
  fuzz,
  limited,
  type LossInput,
  meanLast,
  minus,
  over,
  plus,
  scaled,
  shifted,
  squareOf,
  sumLast,
  times,
} from "./terms.ts";

const absolute = (builder: GraphBuilder, { prediction, target }: LossInput): Value =>
  builder.apply("Abs", [minus(builder, prediction, target)]);

/** mean (ŷ − y)². */
export const meanSquaredError = (builder: GraphBuilder, { prediction, target }: LossInput): Value =>
  meanLast(builder, squareOf(builder, minus(builder, prediction, target)));

/** mean |ŷ − y|. */
export const meanAbsoluteError = (builder: GraphBuilder, input: LossInput): Value =>
  meanLast(builder, absolute(builder, input));

/** 100 · mean |ŷ − y| / max(|y|, 1e-7). */
export const meanAbsolutePercentageError = (builder: GraphBuilder, { prediction, target }: LossInput): Value => {
  const size = atLeast(builder, builder.apply("Abs", [target]), fuzz);
  const share = builder.apply("Abs", [over(builder, minus(builder, target, prediction), size)]);
  return scaled(builder, meanLast(builder, share), 100);
};

/** mean (log(ŷ + 1) − log(y + 1))², both at least 1e-7. */
export const meanSquaredLogarithmicError = (builder: GraphBuilder, { prediction, target }: LossInput): Value => {
  const log = (x: Value): Value => builder.apply("Log", [shifted(builder, atLeast(builder, x, fuzz), 1)]);
  return meanLast(builder, squareOf(builder, minus(builder, log(prediction), log(target))));
};

/** mean of e²/2 up to |e| = δ, and δ|e| − δ²/2 beyond. */
export const huber = (builder: GraphBuilder, input: LossInput, delta: number): Value => {
  const error = absolute(builder, input);
  const half = scaled(builder, squareOf(builder, error), 0.5);
  const linear = shifted(builder, scaled(builder, error, delta), -0.5 * delta * delta);
  const small = builder.apply("LessOrEqual", [error, builder.scalarLike(error, delta)]);
  return meanLast(builder, builder.apply("Where", [small, half, linear]));
};

/** mean log cosh(e), as e + softplus(−2e) − log 2, which does not overflow. */
export const logCosh = (builder: GraphBuilder, { prediction, target }: LossInput): Value => {
  const error = minus(builder, prediction, target);
  const tail = builder.apply("Softplus", [scaled(builder, error, -2)]);
  return meanLast(builder, shifted(builder, plus(builder, error, tail), -Math.LN2));
};

/** mean ŷ − y · log(ŷ + 1e-7). */
export const poisson = (builder: GraphBuilder, { prediction, target }: LossInput): Value => {
  const log = builder.apply("Log", [shifted(builder, prediction, fuzz)]);
  return meanLast(builder, minus(builder, prediction, times(builder, target, log)));
};

/** Σ y · log(y / ŷ) over the last axis, both kept between 1e-7 and 1. */
export const klDivergence = (builder: GraphBuilder, { prediction, target }: LossInput): Value => {
  const [p, y] = [prediction, target].map((x) => limited(builder, x, [fuzz, 1])) as [Value, Value];
  return sumLast(builder, times(builder, y, builder.apply("Log", [over(builder, y, p)])));
};

/** x / max(‖x‖, 1e-7) over the last axis, written so that a row of zeros has a gradient. */
const unit = (builder: GraphBuilder, x: Value): Value => {
  const squares = atLeast(builder, sumLast(builder, squareOf(builder, x), true), fuzz * fuzz);
  return over(builder, x, builder.apply("Sqrt", [squares]));
};

/** −cos of the angle between ŷ and y over the last axis; 0 where one of them is 0. */
export const cosineSimilarity = (builder: GraphBuilder, { prediction, target }: LossInput): Value => {
  const product = times(builder, unit(builder, target), unit(builder, prediction));
  return builder.apply("Neg", [sumLast(builder, product)]);
};
