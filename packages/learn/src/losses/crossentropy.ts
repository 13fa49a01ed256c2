import type { GraphBuilder } from "../onnx/builder.ts";
import type { Value } from "../onnx/graph.ts";
import type { LossConfig, Smoothed } from "./config.ts";
import {
  complement,
  fuzz,
  lastLength,
  limited,
  type LossInput,
  type LossValues,
  meanLast,
  minus,
  over,
  plus,
  scaled,
  shifted,
  sumLast,
  times,
} from "./terms.ts";

type Of<Name extends LossConfig["name"]> = LossConfig & { readonly name: Name };

const clipped = (builder: GraphBuilder, value: Value): Value => limited(builder, value, [fuzz, 1 - fuzz]);

const logOf = (builder: GraphBuilder, value: Value): Value => builder.apply("Log", [value]);

/** y · (1 − s) + s · share. */
const smoothed = (builder: GraphBuilder, target: Value, smoothing: { rate: number; share: number }): Value =>
  smoothing.rate === 0
    ? target
    : shifted(builder, scaled(builder, target, 1 - smoothing.rate), smoothing.rate * smoothing.share);

/** The softmax or sigmoid behind a prediction, whose input a loss may use directly. */
const logitsBehind = (
  builder: GraphBuilder,
  prediction: Value,
  options: { readonly fromLogits: boolean | undefined; readonly operator: "Softmax" | "Sigmoid" },
): Value | undefined => {
  if (options.fromLogits === true) return prediction;
  const node = builder.producer(prediction.name);
  return node?.operator === options.operator ? builder.value(node.inputs[0] ?? "") : undefined;
};

/** max(x, 0) − x·y + log(1 + e^−|x|), the form that neither over- nor underflows. */
const binaryFromLogits = (builder: GraphBuilder, x: Value, target: Value): Value => {
  const positive = builder.apply("Relu", [x]);
  const tail = builder.apply("Softplus", [builder.apply("Neg", [builder.apply("Abs", [x])])]);
  return plus(builder, minus(builder, positive, times(builder, x, target)), tail);
};

/** −y · log p − (1 − y) · log(1 − p), p kept 1e-7 away from 0 and 1. */
const binaryFromProbabilities = (builder: GraphBuilder, prediction: Value, target: Value): Value => {
  const p = clipped(builder, prediction);
  const yes = times(builder, target, logOf(builder, p));
  const no = times(builder, complement(builder, target), logOf(builder, complement(builder, p)));
  return builder.apply("Neg", [plus(builder, yes, no)]);
};

const binaryLabels = (builder: GraphBuilder, target: Value, config: Pick<Smoothed, "labelSmoothing">): Value =>
  smoothed(builder, target, { rate: config.labelSmoothing ?? 0, share: 0.5 });

const classLabels = (builder: GraphBuilder, target: Value, config: Pick<Smoothed, "labelSmoothing">): Value =>
  smoothed(builder, target, { rate: config.labelSmoothing ?? 0, share: 1 / lastLength(target) });

/** Mean over the last axis of the binary cross-entropy. */
export const binaryCrossentropy = (builder: GraphBuilder, input: LossInput, config: Smoothed): Value => {
  const labels = binaryLabels(builder, input.target, config);
  const options = { fromLogits: config.fromLogits, operator: "Sigmoid" } as const;
  const logits = logitsBehind(builder, input.prediction, options);
  const losses =
    logits === undefined
      ? binaryFromProbabilities(builder, input.prediction, labels)
      : binaryFromLogits(builder, logits, labels);
  return meanLast(builder, losses);
};

const logSoftmax = (builder: GraphBuilder, value: Value): Value =>
  builder.apply("LogSoftmax", [value], { attributes: { axis: -1 } });

/** Probabilities that sum to 1 over the last axis, 1e-7 away from 0 and 1. */
const normalised = (builder: GraphBuilder, prediction: Value): Value =>
  clipped(builder, over(builder, prediction, sumLast(builder, prediction, true)));

const chosen = (builder: GraphBuilder, logs: Value, target: Value): Value =>
  builder.apply("Neg", [sumLast(builder, times(builder, target, logs))]);

/** −Σ y · log p over the last axis; unnormalised probabilities are divided by their sum. */
export const categoricalCrossentropy = (builder: GraphBuilder, input: LossInput, config: Smoothed): Value => {
  const labels = classLabels(builder, input.target, config);
  const options = { fromLogits: config.fromLogits, operator: "Softmax" } as const;
  const logits = logitsBehind(builder, input.prediction, options);
  const logs =
    logits === undefined ? logOf(builder, normalised(builder, input.prediction)) : logSoftmax(builder, logits);
  return chosen(builder, logs, labels);
};

/** One-hot rows for class numbers; a number outside of the classes gives a row of zeros. */
export const emitOneHot = (builder: GraphBuilder, classes: Value, like: Value): Value => {
  const values = builder.constant({ dtype: "float32", shape: [2], values: Float32Array.of(0, 1) });
  return builder.apply("OneHot", [builder.cast(classes, "int64"), builder.integers([lastLength(like)]), values], {
    attributes: { axis: -1 },
  });
};

/** −log p of the true class. Keras clips probabilities first here and normalises their logarithms after. */
export const sparseCategoricalCrossentropy = (
  builder: GraphBuilder,
  { prediction, target }: LossInput,
  config: Of<"sparse_categorical_crossentropy">,
): LossValues => {
  const options = { fromLogits: config.fromLogits, operator: "Softmax" } as const;
  const logits = logitsBehind(builder, prediction, options);
  const logs = logSoftmax(builder, logits ?? logOf(builder, clipped(builder, prediction)));
  const values = chosen(builder, logs, emitOneHot(builder, target, prediction));
  if (config.ignoreClass === undefined) return { values };
  const ignored = builder.apply("Equal", [target, builder.scalarLike(target, config.ignoreClass)]);
  const mask = builder.cast(builder.apply("Not", [ignored]), "float32");
  return { values: times(builder, values, mask), mask };
};

const power = (builder: GraphBuilder, x: Value, exponent: number): Value =>
  builder.apply("Pow", [x, builder.scalarLike(x, exponent)]);

/** Binary cross-entropy times (1 − p of the true class)^γ, and α for class 1, 1 − α for class 0 when balancing. */
export const binaryFocalCrossentropy = (
  builder: GraphBuilder,
  input: LossInput,
  config: Of<"binary_focal_crossentropy">,
): Value => {
  const { alpha = 0.25, gamma = 2 } = config;
  const labels = binaryLabels(builder, input.target, config);
  const p = config.fromLogits === true ? builder.apply("Sigmoid", [input.prediction]) : input.prediction;
  const mixed = (yes: Value, no: Value): Value =>
    plus(builder, times(builder, labels, yes), times(builder, complement(builder, labels), no));
  const entropy = binaryFromProbabilities(builder, p, labels);
  const hard = power(builder, complement(builder, mixed(p, complement(builder, p))), gamma);
  const focal = times(builder, hard, entropy);
  if (config.applyClassBalancing !== true) return meanLast(builder, focal);
  const weight = mixed(builder.scalarLike(p, alpha), builder.scalarLike(p, 1 - alpha));
  return meanLast(builder, times(builder, weight, focal));
};

/** −Σ α · (1 − p)^γ · y · log p over the last axis. */
export const categoricalFocalCrossentropy = (
  builder: GraphBuilder,
  input: LossInput,
  config: Of<"categorical_focal_crossentropy">,
): Value => {
  const { alpha = 0.25, gamma = 2 } = config;
  const labels = classLabels(builder, input.target, config);
  const given =
    config.fromLogits === true
      ? builder.apply("Softmax", [input.prediction], { attributes: { axis: -1 } })
      : input.prediction;
  const p = normalised(builder, given);
  const factor = scaled(builder, power(builder, complement(builder, p), gamma), alpha);
  return chosen(builder, times(builder, factor, logOf(builder, p)), labels);
};

/** (1 − p^q) / q, p being the probability of the true class (Zhang and Sabuncu 2018). */
export const categoricalGeneralizedCrossEntropy = (
  builder: GraphBuilder,
  { prediction, target }: LossInput,
  q: number,
): Value => {
  const p = sumLast(builder, times(builder, prediction, emitOneHot(builder, target, prediction)));
  return scaled(builder, complement(builder, power(builder, p, q)), 1 / q);
};
