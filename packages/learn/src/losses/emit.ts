import type { GraphBuilder } from "../onnx/builder.ts";
import type { Value } from "../onnx/graph.ts";
import type { LossConfig } from "./config.ts";
import { ctc } from "./ctc.ts";
import * as crossentropy from "./crossentropy.ts";
import * as margin from "./margin.ts";
import * as overlap from "./overlap.ts";
import * as regression from "./regression.ts";
import { atLeast, type LossInput, type LossValues, over, scaled, times } from "./terms.ts";

/** The configuration of one loss. */
type LossOf<Name extends LossConfig["name"]> = LossConfig & { readonly name: Name };

type Emitters = {
  readonly [Name in LossConfig["name"]]: (
    builder: GraphBuilder,
    input: LossInput,
    config: LossOf<Name>,
  ) => LossValues | Value;
};

const emitters: Emitters = {
  mean_squared_error: regression.meanSquaredError,
  mean_absolute_error: regression.meanAbsoluteError,
  mean_absolute_percentage_error: regression.meanAbsolutePercentageError,
  mean_squared_logarithmic_error: regression.meanSquaredLogarithmicError,
  huber: (builder, input, { delta = 1 }) => regression.huber(builder, input, delta),
  log_cosh: regression.logCosh,
  kl_divergence: regression.klDivergence,
  poisson: regression.poisson,
  cosine_similarity: regression.cosineSimilarity,
  hinge: margin.hinge,
  squared_hinge: margin.squaredHinge,
  categorical_hinge: margin.categoricalHinge,
  binary_crossentropy: crossentropy.binaryCrossentropy,
  categorical_crossentropy: crossentropy.categoricalCrossentropy,
  sparse_categorical_crossentropy: crossentropy.sparseCategoricalCrossentropy,
  binary_focal_crossentropy: crossentropy.binaryFocalCrossentropy,
  categorical_focal_crossentropy: crossentropy.categoricalFocalCrossentropy,
  categorical_generalized_cross_entropy: (builder, input, { q = 0.5 }) =>
    crossentropy.categoricalGeneralizedCrossEntropy(builder, input, q),
  dice: (builder, input, { axis }) => overlap.dice(builder, input, axis),
  tversky: (builder, input, { alpha = 0.5, beta = 0.5, axis }) =>
    overlap.tversky(builder, input, { alpha, beta, axis }),
  ctc,
};

/** The losses before they are reduced, in Keras' shapes. */
const lossValues = (builder: GraphBuilder, config: LossConfig, input: LossInput): LossValues => {
  // The table pairs each name with the emitter of its own configuration.
  const emit = emitters[config.name] as (
    builder: GraphBuilder,
    input: LossInput,
    config: LossConfig,
  ) => LossValues | Value;
  const emitted = emit(builder, input, config);
  return "values" in emitted ? emitted : { values: emitted };
};

const allAxes = (builder: GraphBuilder, { shape }: Value): Value => builder.integers(shape.map((_, axis) => axis));

const total = (builder: GraphBuilder, x: Value): Value =>
  x.shape.length === 0 ? x : builder.apply("ReduceSum", [x, allAxes(builder, x)], { attributes: { keepdims: 0 } });

const mean = (builder: GraphBuilder, x: Value): Value =>
  x.shape.length === 0 ? x : builder.apply("ReduceMean", [x, allAxes(builder, x)], { attributes: { keepdims: 0 } });

/** A weight of each sample, brought to the rank of the losses. */
const spreadWeight = (builder: GraphBuilder, weight: Value, values: Value): Value => {
  const missing = values.shape.length - weight.shape.length;
  if (missing <= 0) return weight;
  const axes = Array.from({ length: missing }, (_, index) => index + weight.shape.length);
  return builder.apply("Unsqueeze", [weight, builder.integers(axes)]);
};

/** How often each element of a weight meets an element of the losses. */
const repeats = (weight: Value, values: Value): number =>
  values.shape.reduce<number>(
    (count, length, axis) => (weight.shape[axis] === 1 && typeof length === "number" ? count * length : count),
    1,
  );

/**
 * Adds a loss to a graph: one value a sample [batch], the mean over the sample's elements.
 * Cross-entropies of a softmax or sigmoid use its logits, as Keras does: the same values, without losing precision.
 * Source: keras/src/losses/losses.py.
 */
export const emitLoss = (builder: GraphBuilder, config: LossConfig, input: LossInput): Value => {
  const { values } = lossValues(builder, config, input);
  const axes = values.shape.map((_, axis) => axis).slice(1);
  if (axes.length === 0) return values;
  return builder.apply("ReduceMean", [values, builder.integers(axes)], { attributes: { keepdims: 0 } });
};

/** Leaves out the steps of sequences that do not count; losses without steps stay as they are. */
const masked = (builder: GraphBuilder, { values, mask }: LossValues, steps: Value | undefined): LossValues => {
  if (steps === undefined || values.shape.length !== 2) return { values, ...(mask === undefined ? {} : { mask }) };
  const counting = builder.cast(steps, "float32");
  return {
    values: times(builder, values, counting),
    mask: mask === undefined ? counting : times(builder, mask, counting),
  };
};

/**
 * Adds a loss to a graph and reduces it to a scalar as configured.
 * @param input Prediction, target, a weight for each sample [batch] (all 1 when left out), and which steps of a
 *   sequence count, as bool [batch, steps] (all when left out).
 * Source: keras/src/losses/loss.py, `reduce_weighted_values`.
 */
export const emitReducedLoss = (
  builder: GraphBuilder,
  config: LossConfig,
  input: LossInput & { readonly sampleWeight?: Value | undefined; readonly mask?: Value | undefined },
): Value => {
  const { values, mask } = masked(builder, lossValues(builder, config, input), input.mask);
  const reduction = config.reduction ?? "sum_over_batch_size";
  const weight = input.sampleWeight && spreadWeight(builder, input.sampleWeight, values);
  const weighted = weight === undefined ? values : times(builder, values, weight);
  if (reduction === "sum") return total(builder, weighted);
  if (reduction === "mean_with_sample_weight" && weight !== undefined) {
    const counted = mask === undefined ? weight : times(builder, weight, mask);
    const weights = scaled(builder, total(builder, counted), repeats(counted, values));
    const none = builder.apply("Equal", [weights, builder.scalarLike(weights, 0)]);
    const divisor = builder.apply("Where", [none, builder.scalarLike(weights, 1), weights]);
    return over(builder, total(builder, weighted), divisor);
  }
  // Elements that a mask leaves out have a loss of 0 and do not count.
  if (mask !== undefined) return over(builder, total(builder, weighted), atLeast(builder, total(builder, mask), 1));
  return mean(builder, weighted);
};
