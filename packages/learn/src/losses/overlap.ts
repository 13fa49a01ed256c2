import type { GraphBuilder } from "../onnx/builder.ts";
import type { Value } from "../onnx/graph.ts";
import { complement, fuzz, type LossInput, over, plus, scaled, shifted, times } from "./terms.ts";

const sum = (builder: GraphBuilder, x: Value, axis: readonly number[] | undefined): Value => {
  const axes = builder.integers(axis ?? x.shape.map((_, index) => index));
  return builder.apply("ReduceSum", [x, axes], { attributes: { keepdims: 0 } });
};

/** 1 − 2 · Σ y·ŷ / (Σ y + Σ ŷ + 1e-7), over `axis` or everything. */
export const dice = (
  builder: GraphBuilder,
  { prediction, target }: LossInput,
  axis: readonly number[] | undefined,
): Value => {
  const common = scaled(builder, sum(builder, times(builder, target, prediction), axis), 2);
  const all = plus(builder, sum(builder, target, axis), sum(builder, prediction, axis));
  return complement(builder, over(builder, common, shifted(builder, all, fuzz)));
};

/**
 * 1 − Σ y·ŷ / (Σ y·ŷ + α · Σ (1−ŷ)·y + β · Σ ŷ·(1−y) + 1e-7), over `axis` or everything.
 * Which error α weighs follows Keras' code; its documentation names them the other way round.
 */
export const tversky = (
  builder: GraphBuilder,
  { prediction, target }: LossInput,
  options: { readonly alpha: number; readonly beta: number; readonly axis: readonly number[] | undefined },
): Value => {
  const total = (a: Value, b: Value): Value => sum(builder, times(builder, a, b), options.axis);
  const common = total(target, prediction);
  const missed = scaled(builder, total(complement(builder, prediction), target), options.alpha);
  const invented = scaled(builder, total(prediction, complement(builder, target)), options.beta);
  const all = shifted(builder, plus(builder, common, plus(builder, missed, invented)), fuzz);
  return complement(builder, over(builder, common, all));
};
