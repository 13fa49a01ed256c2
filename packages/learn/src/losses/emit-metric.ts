import { LearnError } from "../errors.ts";
import type { Value } from "../onnx/graph.ts";
import { emitLoss, type LossInput, sampleMean } from "./emit-loss.ts";

/** Names of the metrics that can be followed while training. */
export const metricNames = ["accuracy", "mean_squared_error", "mean_absolute_error"] as const;

/** A metric followed while training. */
export type MetricName = (typeof metricNames)[number];

const short: Readonly<Record<string, MetricName>> = {
  acc: "accuracy",
  mse: "mean_squared_error",
  mae: "mean_absolute_error",
};

/**
 * Parses the name of a metric.
 * @throws LearnError `metric-invalid` naming what exists.
 */
export const parseMetric = (name: string): MetricName => {
  const full = short[name] ?? name;
  const known = metricNames.find((metric) => metric === full);
  if (known !== undefined) return known;
  throw new LearnError(
    "metric-invalid",
    `The metric "${name}" does not exist. Known metrics: ${metricNames.join(", ")}.`,
  );
};

/** Keras' rule: class indices are compared with the largest output, one output with 0.5, else the largest with the largest. */
const accuracy = ({ builder, prediction, target }: LossInput): Value => {
  const largest = (value: Value): Value => builder.apply("ArgMax", [value], { attributes: { axis: -1, keepdims: 0 } });
  const right =
    target.dtype === "int32"
      ? builder.apply("Equal", [builder.cast(largest(prediction), "int32"), target])
      : prediction.shape.at(-1) === 1
        ? builder.apply("Equal", [
            builder.cast(builder.apply("Greater", [prediction, builder.scalarLike(prediction, 0.5)]), "float32"),
            target,
          ])
        : builder.apply("Equal", [largest(prediction), largest(target)]);
  return sampleMean(builder, builder.cast(right, "float32"));
};

/** Adds the nodes of a metric; returns its value per sample, [batch]. */
export const emitMetric = (name: MetricName, input: LossInput): Value => {
  switch (name) {
    case "accuracy":
      return accuracy(input);
    case "mean_squared_error":
    case "mean_absolute_error":
      return emitLoss({ name }, input);
  }
};
