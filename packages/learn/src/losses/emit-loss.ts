import { LearnError } from "../errors.ts";
import type { GraphBuilder } from "../onnx/builder.ts";
import type { Value } from "../onnx/graph.ts";
import { formatShape, tensor } from "../onnx/tensor.ts";
import type { LossConfig } from "./config.ts";

/** What a loss compares: predictions [batch, …] and targets, [batch, …] or class indices [batch] for the sparse loss. */
export interface LossInput {
  readonly builder: GraphBuilder;
  readonly prediction: Value;
  readonly target: Value;
}

/** Keras clips probabilities to [ε, 1 − ε]. */
const epsilon = 1e-7;

const mul = (b: GraphBuilder, x: Value, y: Value): Value => b.apply("Mul", [x, y]);
const sub = (b: GraphBuilder, x: Value, y: Value): Value => b.apply("Sub", [x, y]);
const add = (b: GraphBuilder, x: Value, y: Value): Value => b.apply("Add", [x, y]);

/** Mean over all axes but the batch: [batch, …] → [batch]. */
export const sampleMean = (builder: GraphBuilder, value: Value): Value => {
  if (value.shape.length <= 1) return value;
  const axes = value.shape.slice(1).map((_, axis) => axis + 1);
  return builder.apply("ReduceMean", [value, builder.integers(axes)], { attributes: { keepdims: 0 } });
};

const sumLast = (builder: GraphBuilder, value: Value, keepdims: 0 | 1): Value =>
  builder.apply("ReduceSum", [value, builder.integers([-1])], { attributes: { keepdims } });

const clipped = (builder: GraphBuilder, value: Value): Value =>
  builder.apply("Clip", [value, builder.scalarLike(value, epsilon), builder.scalarLike(value, 1 - epsilon)]);

/** The input of the activation that made a value, where the loss can work on it directly and more exactly. */
const logitsBehind = (builder: GraphBuilder, value: Value, operator: "Softmax" | "Sigmoid"): Value | undefined => {
  const producer = builder.producer(value.name);
  const source = producer?.operator === operator ? producer.inputs[0] : undefined;
  return source === undefined ? undefined : builder.value(source);
};

const squared = ({ builder, prediction, target }: LossInput): Value => {
  const difference = sub(builder, prediction, target);
  return sampleMean(builder, mul(builder, difference, difference));
};

const absolute = ({ builder, prediction, target }: LossInput): Value =>
  sampleMean(builder, builder.apply("Abs", [sub(builder, prediction, target)]));

const huber = ({ builder, prediction, target }: LossInput, delta: number): Value => {
  const difference = sub(builder, prediction, target);
  const size = builder.apply("Abs", [difference]);
  const square = mul(builder, mul(builder, difference, difference), builder.scalarLike(size, 0.5));
  const line = sub(
    builder,
    mul(builder, size, builder.scalarLike(size, delta)),
    builder.scalarLike(size, 0.5 * delta * delta),
  );
  const small = builder.apply("LessOrEqual", [size, builder.scalarLike(size, delta)]);
  return sampleMean(builder, builder.apply("Where", [small, square, line]));
};

const smoothed = (builder: GraphBuilder, target: Value, share: number, classes: number): Value => {
  if (share === 0) return target;
  return add(
    builder,
    mul(builder, target, builder.scalarLike(target, 1 - share)),
    builder.scalarLike(target, share / classes),
  );
};

/** max(z, 0) − z·y + log(1 + e^−|z|), which no z makes overflow. */
const binaryFromLogits = (builder: GraphBuilder, logits: Value, target: Value): Value => {
  const size = builder.apply("Abs", [logits]);
  const tail = builder.apply("Log", [
    add(builder, builder.apply("Exp", [builder.apply("Neg", [size])]), builder.scalarLike(size, 1)),
  ]);
  const linear = sub(builder, builder.apply("Relu", [logits]), mul(builder, logits, target));
  return add(builder, linear, tail);
};

const binary = (input: LossInput, config: LossConfig): Value => {
  const { builder, prediction } = input;
  const target = smoothed(builder, input.target, config.labelSmoothing ?? 0, 2);
  const logits = config.fromLogits ? prediction : logitsBehind(builder, prediction, "Sigmoid");
  if (logits !== undefined) return sampleMean(builder, binaryFromLogits(builder, logits, target));
  const p = clipped(builder, prediction);
  const one = builder.scalarLike(p, 1);
  const yes = mul(builder, target, builder.apply("Log", [p]));
  const no = mul(builder, sub(builder, one, target), builder.apply("Log", [sub(builder, one, p)]));
  return sampleMean(builder, builder.apply("Neg", [add(builder, yes, no)]));
};

/** Logarithms of the class probabilities: exact from logits, else of the normalised and clipped probabilities. */
const logProbabilities = ({ builder, prediction }: LossInput, config: LossConfig, normalise: boolean): Value => {
  const logits = config.fromLogits ? prediction : logitsBehind(builder, prediction, "Softmax");
  if (logits !== undefined) return builder.apply("LogSoftmax", [logits], { attributes: { axis: -1 } });
  const shares = normalise ? builder.apply("Div", [prediction, sumLast(builder, prediction, 1)]) : prediction;
  return builder.apply("Log", [clipped(builder, shares)]);
};

const classesOf = ({ prediction }: LossInput): number => Number(prediction.shape.at(-1));

const categorical = (input: LossInput, config: LossConfig): Value => {
  const { builder } = input;
  const target = smoothed(builder, input.target, config.labelSmoothing ?? 0, classesOf(input));
  const terms = mul(builder, target, logProbabilities(input, config, true));
  return sampleMean(builder, builder.apply("Neg", [sumLast(builder, terms, 0)]));
};

/**
 * TensorFlow's kernel, which Keras calls, takes the softmax of the logarithms of the clipped probabilities, so the
 * clipped values are normalised once more.
 */
const sparse = (input: LossInput, config: LossConfig): Value => {
  const { builder, target } = input;
  const classes = Array.from({ length: classesOf(input) }, (_, index) => index);
  const column = builder.apply("Unsqueeze", [target, builder.integers([-1])]);
  const hot = builder.apply("Equal", [column, builder.constant(tensor("int32", [classes.length], classes))]);
  const logs = logProbabilities(input, config, false);
  const exact = builder.producer(logs.name)?.operator === "LogSoftmax";
  const log = exact ? logs : builder.apply("LogSoftmax", [logs], { attributes: { axis: -1 } });
  const picked = mul(builder, builder.cast(hot, log.dtype), log);
  return sampleMean(builder, builder.apply("Neg", [sumLast(builder, picked, 0)]));
};

/**
 * Adds the nodes of a loss.
 * @returns Loss per sample, [batch]; the batch's loss is their (weighted) mean.
 * Source: keras/src/losses/losses.py.
 */
export const emitLoss = (config: LossConfig, input: LossInput): Value => {
  switch (config.name) {
    case "mean_squared_error":
      return squared(input);
    case "mean_absolute_error":
      return absolute(input);
    case "huber":
      return huber(input, config.delta ?? 1);
    case "binary_crossentropy":
      return binary(input, config);
    case "categorical_crossentropy":
      return categorical(input, config);
    case "sparse_categorical_crossentropy":
      return sparse(input, config);
  }
};

/** Shape and type that a loss wants its targets in, for predictions of one sample of `shape`. */
export const targetTypeOf = (
  config: LossConfig,
  shape: readonly number[],
): { readonly dtype: "float32" | "int32"; readonly shape: readonly number[] } => {
  if (config.name !== "sparse_categorical_crossentropy") return { dtype: "float32", shape };
  if ((shape.at(-1) ?? 1) < 2) {
    throw new LearnError(
      "loss-invalid",
      `sparse_categorical_crossentropy needs an output with one value per class, but the model's output is ${formatShape(shape)}. Use binary_crossentropy, or more units.`,
    );
  }
  return { dtype: "int32", shape: shape.slice(0, -1) };
};
