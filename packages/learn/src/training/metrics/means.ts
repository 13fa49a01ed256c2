import { LearnError } from "../../errors.ts";
import { emitLoss, emitOneHot, type LossConfig, takesClasses } from "../../losses/index.ts";
import type { GraphBuilder } from "../../onnx/builder.ts";
import type { Value } from "../../onnx/graph.ts";
import type { SampleLossName } from "./config.ts";
import { listed, type Meter, type MetricInput, share, sumOfAll, weighted } from "./meter.ts";

const average = (builder: GraphBuilder, value: Value): Value => {
  const axes = value.shape.map((_, axis) => axis).slice(1);
  if (axes.length === 0) return value;
  return builder.apply("ReduceMean", [value, builder.integers(axes)], { attributes: { keepdims: 0 } });
};

/** A metric that is the mean of one value a sample; `finish` turns the mean into what is reported. */
export const meanMeter = (
  options: { readonly isWeighted: boolean; readonly finish?: (mean: number) => number },
  perSample: (builder: GraphBuilder, input: MetricInput) => Value,
): Meter => {
  const { isWeighted, finish = (mean) => mean } = options;
  return {
    width: isWeighted ? 2 : 1,
    emit: (builder, input) => {
      const value = average(builder, perSample(builder, input));
      const sum = sumOfAll(builder, weighted(builder, value, input.weight));
      return input.weight === undefined ? sum : listed(builder, [sum, sumOfAll(builder, input.weight)]);
    },
    value: ([sum = 0, weights], samples) => finish(share(sum, weights ?? samples)),
  };
};

const winner = (builder: GraphBuilder, value: Value): Value =>
  builder.apply("ArgMax", [value], { attributes: { axis: -1, keepdims: 0 } });

const trueClass = (builder: GraphBuilder, { target, classes }: MetricInput): Value =>
  classes ? builder.cast(target, "int64") : winner(builder, target);

const hits = (builder: GraphBuilder, hit: Value): Value => builder.cast(hit, "float32");

/** 1 where the largest output is the true class. */
export const categoricalHits = (builder: GraphBuilder, input: MetricInput): Value =>
  hits(builder, builder.apply("Equal", [winner(builder, input.prediction), trueClass(builder, input)]));

/** 1 where an output above the threshold meets a target of 1, and one below a target of 0. */
export const binaryHits =
  (threshold: number) =>
  (builder: GraphBuilder, { prediction, target }: MetricInput): Value => {
    const above = builder.apply("Greater", [prediction, builder.scalarLike(prediction, threshold)]);
    const given = builder.cast(target, "float32");
    return hits(builder, builder.apply("Equal", [builder.cast(above, "float32"), given]));
  };

/** Keras' rule: one output is compared with 0.5, class numbers and one-hot rows with the largest output. */
export const accuracyHits = (builder: GraphBuilder, input: MetricInput): Value =>
  input.prediction.shape.at(-1) === 1 && !input.classes
    ? binaryHits(0.5)(builder, input)
    : categoricalHits(builder, input);

/** 1 where fewer than k outputs are larger than that of the true class. */
export const topKHits =
  (k: number) =>
  (builder: GraphBuilder, input: MetricInput): Value => {
    const { prediction } = input;
    const row = emitOneHot(builder, trueClass(builder, input), prediction);
    const last = builder.integers([-1]);
    const own = builder.apply("ReduceSum", [builder.apply("Mul", [row, prediction]), last]);
    const larger = builder.cast(builder.apply("Greater", [prediction, own]), "float32");
    const count = builder.apply("ReduceSum", [larger, last], { attributes: { keepdims: 0 } });
    return hits(builder, builder.apply("Less", [count, builder.scalarLike(count, k)]));
  };

/** A loss as a metric: one value a sample. @throws LearnError `metric-invalid` when the targets do not suit it. */
export const lossOf =
  (given: { readonly name: SampleLossName }, sign = 1) =>
  (builder: GraphBuilder, input: MetricInput): Value => {
    // Every loss has defaults for its arguments.
    const config = given as LossConfig;
    if (takesClasses(config) !== input.classes) {
      throw new LearnError(
        "metric-invalid",
        `The metric ${config.name} compares ${takesClasses(config) ? "class numbers" : "numbers"}, but the targets are ${input.classes ? "class numbers" : "numbers"}. Choose a metric that suits the loss.`,
      );
    }
    const value = emitLoss(builder, config, input);
    return sign === 1 ? value : builder.apply("Neg", [value]);
  };
