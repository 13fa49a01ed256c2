import type { GraphBuilder } from "../onnx/builder.ts";
import type { Value } from "../onnx/graph.ts";
import { emitOneHot } from "./crossentropy.ts";
import { complement, type LossInput, meanLast, minus, scaled, shifted, squareOf, sumLast, times } from "./terms.ts";

/** Labels −1 and +1: when all labels of the batch are 0 or 1, they are turned to them, as Keras does. */
const signs = (builder: GraphBuilder, target: Value): Value => {
  const is = (value: number): Value => builder.apply("Equal", [target, builder.scalarLike(target, value)]);
  const other = builder.cast(builder.apply("Not", [builder.apply("Or", [is(0), is(1)])]), "float32");
  const axes = builder.integers(target.shape.map((_, axis) => axis));
  const others = builder.apply("ReduceSum", [other, axes], { attributes: { keepdims: 0 } });
  const binary = builder.apply("Equal", [others, builder.scalarLike(others, 0)]);
  return builder.apply("Where", [binary, shifted(builder, scaled(builder, target, 2), -1), target]);
};

const margins = (builder: GraphBuilder, { prediction, target }: LossInput): Value =>
  builder.apply("Relu", [complement(builder, times(builder, signs(builder, target), prediction))]);

/** mean max(1 − y · ŷ, 0). */
export const hinge = (builder: GraphBuilder, input: LossInput): Value => meanLast(builder, margins(builder, input));

/** mean max(1 − y · ŷ, 0)². */
export const squaredHinge = (builder: GraphBuilder, input: LossInput): Value =>
  meanLast(builder, squareOf(builder, margins(builder, input)));

/** max(max((1 − y) · ŷ) − Σ y · ŷ + 1, 0) over the last axis. */
export const categoricalHinge = (builder: GraphBuilder, { prediction, target }: LossInput): Value => {
  const right = sumLast(builder, times(builder, target, prediction));
  const wrong = times(builder, complement(builder, target), prediction);
  // The largest is picked by a one-hot row, through which a gradient flows.
  const winner = builder.apply("ArgMax", [wrong], { attributes: { axis: -1, keepdims: 0 } });
  const largest = sumLast(builder, times(builder, wrong, emitOneHot(builder, winner, wrong)));
  return builder.apply("Relu", [shifted(builder, minus(builder, largest, right), 1)]);
};
