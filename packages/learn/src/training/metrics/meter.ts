import type { GraphBuilder } from "../../onnx/builder.ts";
import type { Value } from "../../onnx/graph.ts";

/** What a metric looks at. */
export interface MetricInput {
  /** The model's output [batch, …]. */
  readonly prediction: Value;
  /** Class numbers [batch, …] (int32), or values of the prediction's shape. */
  readonly target: Value;
  /** Whether the target holds class numbers. */
  readonly classes: boolean;
  /** Weight of each sample [batch]; undefined when all count alike. */
  readonly weight: Value | undefined;
}

/**
 * A metric as sums: a graph gives them for a batch, they add up over batches of any size, and the value is made of
 * the totals. So a value over an epoch is exact, and not a mean of the batches' values.
 */
export interface Meter {
  /** How many sums there are. */
  readonly width: number;
  /** Adds the sums of a batch to a graph: float32 [width]. */
  emit(builder: GraphBuilder, input: MetricInput): Value;
  /** The value, from the totals and the number of samples. */
  value(totals: readonly number[], samples: number): number;
}

/** a / b, and 0 where nothing was counted, as in Keras. */
export const share = (a: number, b: number): number => (b === 0 ? 0 : a / b);

/** The sum over all axes as a list of one [1]. */
export const sumOfAll = (builder: GraphBuilder, x: Value): Value => {
  const axes = builder.integers(x.shape.map((_, axis) => axis));
  const sum = builder.apply("ReduceSum", [x, axes], { attributes: { keepdims: 0 } });
  return builder.apply("Reshape", [sum, builder.integers([1])]);
};

/** Lists one after the other. */
export const listed = (builder: GraphBuilder, lists: readonly Value[]): Value => {
  const [first] = lists;
  return first !== undefined && lists.length === 1
    ? first
    : builder.apply("Concat", lists, { attributes: { axis: 0 } });
};

/** x · a weight of each sample, if there is one. */
export const weighted = (builder: GraphBuilder, x: Value, weight: Value | undefined): Value => {
  if (weight === undefined) return x;
  const axes = Array.from({ length: x.shape.length - 1 }, (_, index) => index + 1);
  const spread = axes.length === 0 ? weight : builder.apply("Unsqueeze", [weight, builder.integers(axes)]);
  return builder.apply("Mul", [x, spread]);
};
