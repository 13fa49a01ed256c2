import { LearnError } from "../errors.ts";
import type { LossConfig } from "../losses/index.ts";
import { emitLoss } from "../losses/index.ts";
import type { GraphBuilder } from "../onnx/builder.ts";
import type { Value } from "../onnx/graph.ts";

/** Names of the metrics that are measured while a model trains. */
export const metricNames = ["accuracy", "mean_squared_error", "mean_absolute_error"] as const;

/** A metric measured while a model trains, or Keras' short name of it. */
export type Metric = (typeof metricNames)[number] | "acc" | "mse" | "mae";

const shortNames: Readonly<Record<string, Metric>> = {
  acc: "accuracy",
  mse: "mean_squared_error",
  mae: "mean_absolute_error",
};

/** Resolves metrics by name. @throws LearnError `metric-invalid`. */
export const parseMetrics = (metrics: readonly string[]): readonly (typeof metricNames)[number][] =>
  metrics.map((given) => {
    const name = metricNames.find((known) => known === (shortNames[given] ?? given));
    if (name !== undefined) return name;
    throw new LearnError(
      "metric-invalid",
      `The metric ${JSON.stringify(given)} is not known. Known metrics: ${metricNames.join(", ")}.`,
    );
  });

interface MetricInput {
  readonly prediction: Value;
  readonly target: Value;
  readonly loss: LossConfig;
}

const average = (builder: GraphBuilder, value: Value): Value => {
  const axes = value.shape.map((_, axis) => axis).slice(1);
  if (axes.length === 0) return value;
  return builder.apply("ReduceMean", [value, builder.integers(axes)], { attributes: { keepdims: 0 } });
};

const winner = (builder: GraphBuilder, value: Value): Value =>
  builder.apply("ArgMax", [value], { attributes: { axis: -1, keepdims: 0 } });

/** Keras' rule: class numbers compare with the largest output, one output with 0.5, several with one-hot rows. */
const accuracy = (builder: GraphBuilder, { prediction, target, loss }: MetricInput): Value => {
  const half = builder.scalarLike(prediction, 0.5);
  const hit = (): Value => {
    if (loss.name === "sparse_categorical_crossentropy") {
      return builder.apply("Equal", [winner(builder, prediction), builder.cast(target, "int64")]);
    }
    if (prediction.shape.at(-1) === 1 || loss.name === "binary_crossentropy") {
      const decided = builder.cast(builder.apply("Greater", [prediction, half]), "float32");
      return builder.apply("Equal", [decided, target]);
    }
    return builder.apply("Equal", [winner(builder, prediction), winner(builder, target)]);
  };
  return average(builder, builder.cast(hit(), "float32"));
};

/** Adds a metric to a graph: one value a sample [batch]. */
export const emitMetric = (builder: GraphBuilder, metric: (typeof metricNames)[number], input: MetricInput): Value => {
  if (metric === "accuracy") return accuracy(builder, input);
  if (input.loss.name === "sparse_categorical_crossentropy") {
    throw new LearnError("metric-invalid", `The metric ${metric} compares numbers, but the targets are class numbers.`);
  }
  return emitLoss(builder, { name: metric }, input);
};
