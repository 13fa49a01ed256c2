import type { GraphBuilder } from "../onnx/builder.ts";
import type { Value } from "../onnx/graph.ts";
import type { LossConfig } from "./config.ts";

/** What a loss compares. */
export interface LossInput {
  /** The model's output [batch, …]. */
  readonly prediction: Value;
  /** Class numbers [batch, …] (int32) for the sparse loss, else values of the prediction's shape. */
  readonly target: Value;
}

/** Probabilities are kept this far from 0 and 1 (Keras' backend epsilon). */
const fuzz = 1e-7;

const average = (builder: GraphBuilder, value: Value): Value => {
  const axes = value.shape.map((_, axis) => axis).slice(1);
  if (axes.length === 0) return value;
  return builder.apply("ReduceMean", [value, builder.integers(axes)], { attributes: { keepdims: 0 } });
};

const sumLast = (builder: GraphBuilder, value: Value, keep: boolean): Value =>
  builder.apply("ReduceSum", [value, builder.integers([-1])], { attributes: { keepdims: keep ? 1 : 0 } });

const clipped = (builder: GraphBuilder, value: Value): Value =>
  builder.apply("Clip", [value, builder.scalarLike(value, fuzz), builder.scalarLike(value, 1 - fuzz)]);

const logSoftmax = (builder: GraphBuilder, value: Value): Value =>
  builder.apply("LogSoftmax", [value], { attributes: { axis: -1 } });

const squared = (builder: GraphBuilder, { prediction, target }: LossInput): Value => {
  const difference = builder.apply("Sub", [prediction, target]);
  return builder.apply("Mul", [difference, difference]);
};

const absolute = (builder: GraphBuilder, { prediction, target }: LossInput): Value =>
  builder.apply("Abs", [builder.apply("Sub", [prediction, target])]);

const huber = (builder: GraphBuilder, input: LossInput, delta: number): Value => {
  const error = absolute(builder, input);
  const number = (value: number): Value => builder.scalarLike(error, value);
  const half = builder.apply("Mul", [builder.apply("Mul", [error, error]), number(0.5)]);
  const linear = builder.apply("Sub", [builder.apply("Mul", [error, number(delta)]), number(0.5 * delta * delta)]);
  return builder.apply("Where", [builder.apply("LessOrEqual", [error, number(delta)]), half, linear]);
};

/** y · (1 − s) + s · share. */
const smoothed = (builder: GraphBuilder, target: Value, smoothing: { rate: number; share: number }): Value => {
  if (smoothing.rate === 0) return target;
  const kept = builder.apply("Mul", [target, builder.scalarLike(target, 1 - smoothing.rate)]);
  return builder.apply("Add", [kept, builder.scalarLike(target, smoothing.rate * smoothing.share)]);
};

const binaryFromLogits = (builder: GraphBuilder, x: Value, target: Value): Value => {
  // max(x, 0) − x·y + log(1 + e^−|x|), the form that neither over- nor underflows.
  const positive = builder.apply("Relu", [x]);
  const product = builder.apply("Mul", [x, target]);
  const tail = builder.apply("Softplus", [builder.apply("Neg", [builder.apply("Abs", [x])])]);
  return builder.apply("Add", [builder.apply("Sub", [positive, product]), tail]);
};

const binaryFromProbabilities = (builder: GraphBuilder, prediction: Value, target: Value): Value => {
  const p = clipped(builder, prediction);
  const complement = (value: Value): Value => builder.apply("Sub", [builder.scalarLike(value, 1), value]);
  const yes = builder.apply("Mul", [target, builder.apply("Log", [p])]);
  const no = builder.apply("Mul", [complement(target), builder.apply("Log", [complement(p)])]);
  return builder.apply("Neg", [builder.apply("Add", [yes, no])]);
};

const categoricalLogs = (builder: GraphBuilder, prediction: Value, fromLogits: boolean): Value => {
  if (fromLogits) return logSoftmax(builder, prediction);
  const normalised = builder.apply("Div", [prediction, sumLast(builder, prediction, true)]);
  return builder.apply("Log", [clipped(builder, normalised)]);
};

/** Keras clips probabilities first here and normalises their logarithms after. */
const sparseLogs = (builder: GraphBuilder, prediction: Value, fromLogits: boolean): Value =>
  logSoftmax(builder, fromLogits ? prediction : builder.apply("Log", [clipped(builder, prediction)]));

const chosen = (builder: GraphBuilder, logs: Value, target: Value): Value =>
  builder.apply("Neg", [sumLast(builder, builder.apply("Mul", [target, logs]), false)]);

/** One-hot rows for class numbers; a number outside of the classes gives a row of zeros. */
const emitOneHot = (builder: GraphBuilder, classes: Value, like: Value): Value => {
  const depth = like.shape.at(-1);
  const values = builder.constant({ dtype: "float32", shape: [2], values: Float32Array.of(0, 1) });
  return builder.apply(
    "OneHot",
    [builder.cast(classes, "int64"), builder.integers([typeof depth === "number" ? depth : 1]), values],
    { attributes: { axis: -1 } },
  );
};

/** The softmax or sigmoid behind a prediction, whose input a loss may use directly. */
const logitsOf = (builder: GraphBuilder, prediction: Value, operator: "Softmax" | "Sigmoid"): Value | undefined => {
  const node = builder.producer(prediction.name);
  return node?.operator === operator ? builder.value(node.inputs[0] ?? "") : undefined;
};

const perElement = (builder: GraphBuilder, config: LossConfig, input: LossInput): Value => {
  const { prediction, target } = input;
  switch (config.name) {
    case "mean_squared_error":
      return squared(builder, input);
    case "mean_absolute_error":
      return absolute(builder, input);
    case "huber":
      return huber(builder, input, config.delta ?? 1);
    case "binary_crossentropy": {
      const labels = smoothed(builder, target, { rate: config.labelSmoothing ?? 0, share: 0.5 });
      const logits = config.fromLogits === true ? prediction : logitsOf(builder, prediction, "Sigmoid");
      return logits === undefined
        ? binaryFromProbabilities(builder, prediction, labels)
        : binaryFromLogits(builder, logits, labels);
    }
    case "categorical_crossentropy": {
      const classes = prediction.shape.at(-1);
      const share = 1 / (typeof classes === "number" ? classes : 1);
      const labels = smoothed(builder, target, { rate: config.labelSmoothing ?? 0, share });
      const logits = config.fromLogits === true ? prediction : logitsOf(builder, prediction, "Softmax");
      return chosen(builder, categoricalLogs(builder, logits ?? prediction, logits !== undefined), labels);
    }
    case "sparse_categorical_crossentropy": {
      const logits = config.fromLogits === true ? prediction : logitsOf(builder, prediction, "Softmax");
      const logs = sparseLogs(builder, logits ?? prediction, logits !== undefined);
      return chosen(builder, logs, emitOneHot(builder, target, prediction));
    }
  }
};

/**
 * Adds a loss to a graph: one value a sample [batch], the mean over the sample's elements.
 * Cross-entropies of a softmax or sigmoid use its logits, as Keras does: the same values, without losing precision.
 * Source: keras/src/losses/losses.py.
 */
export const emitLoss = (builder: GraphBuilder, config: LossConfig, input: LossInput): Value =>
  average(builder, perElement(builder, config, input));
