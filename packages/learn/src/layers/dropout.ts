import { z } from "zod";
import type { Value } from "../onnx/graph.ts";
import type { Dimension } from "../onnx/tensor.ts";
import { defineLayer, only, spatialShape } from "./layer.ts";
import type { EmitContext, LayerKind, LayerValue } from "./layer.ts";
import { plain } from "./layout.ts";

const rate = z.number().min(0).lt(1);

const times = (context: EmitContext, input: LayerValue, factor: Value): LayerValue => ({
  ...input,
  value: context.builder.apply("Mul", [input.value, factor]),
});

/** Makes a layer that changes its input in training only. */
const inTraining = <Arguments>(
  layer: string,
  schema: z.ZodType<Arguments>,
  disturb: (args: Arguments, input: LayerValue, context: EmitContext) => LayerValue,
): LayerKind =>
  defineLayer({
    layer,
    arguments: schema,
    passesMask: true,
    outputShape: (_, inputs, place) => only(inputs, place),
    emit: (args, inputs, context) => {
      const input = only(inputs);
      return context.training ? disturb(args, input, context) : input;
    },
  });

const dropoutSchema = z.strictObject({ rate, noiseShape: z.array(z.int().min(1).nullable()).optional() });

/**
 * Inverted dropout: in training each element is zeroed with probability `rate` and the rest scaled by 1/(1−rate).
 * `noiseShape` counts the batch first; null takes the input's length and 1 drops whole slices.
 */
export const dropoutLayer: LayerKind = inTraining("Dropout", dropoutSchema, ({ rate, noiseShape }, input, context) => {
  if (rate === 0) return input;
  if (noiseShape === undefined) return times(context, input, context.mask(input.value.shape, rate));
  const open = plain(context.builder, input);
  const shape = open.value.shape.map((length, axis): Dimension => noiseShape[axis] ?? length);
  return times(context, open, context.mask(shape, rate));
});

/** Zeroes whole channels, over `rank` spatial axes. */
const spatialDropout = (rank: 1 | 2 | 3): LayerKind =>
  defineLayer({
    layer: `SpatialDropout${rank}D`,
    arguments: z.strictObject({ rate }),
    passesMask: true,
    outputShape: (_, inputs, place) => spatialShape(inputs, rank, place),
    emit: ({ rate }, inputs, context) => {
      const input = only(inputs);
      if (!context.training || rate === 0) return input;
      const { shape } = input.value;
      const channels = input.layout === "channels-first" ? 1 : shape.length - 1;
      const kept = shape.map((length, axis): Dimension => (axis === 0 || axis === channels ? length : 1));
      return times(context, input, context.mask(kept, rate));
    },
  });

/** Zeroes whole channels of sequences, images and volumes in training. */
export const spatialDropoutLayers: readonly LayerKind[] = [1, 2, 3].map((rank) => spatialDropout(rank as 1 | 2 | 3));

/** Adds normal noise of a standard deviation in training. */
export const gaussianNoiseLayer: LayerKind = inTraining(
  "GaussianNoise",
  z.strictObject({ stddev: z.number().min(0) }),
  ({ stddev }, input, context) => {
    if (stddev === 0) return input;
    const { builder } = context;
    const noise = context.noise(input.value.shape);
    const scaled = builder.apply("Mul", [noise, builder.scalarLike(noise, stddev)]);
    return { ...input, value: builder.apply("Add", [input.value, scaled]) };
  },
);

/** Multiplies by normal noise of mean 1 and standard deviation √(rate / (1 − rate)) in training. */
export const gaussianDropoutLayer: LayerKind = inTraining(
  "GaussianDropout",
  z.strictObject({ rate }),
  ({ rate }, input, context) => {
    if (rate === 0) return input;
    const { builder } = context;
    const noise = context.noise(input.value.shape);
    const scaled = builder.apply("Mul", [noise, builder.scalarLike(noise, Math.sqrt(rate / (1 - rate)))]);
    return times(context, input, builder.apply("Add", [scaled, builder.scalarLike(noise, 1)]));
  },
);

/** The value that self-normalising networks saturate at: −λα of `selu`. */
const saturated = -1.7580993408473766;

/**
 * Dropout for self-normalising networks: dropped elements become the saturation value of `selu`, and an affine map
 * keeps mean 0 and variance 1. Source: keras/src/layers/regularization/alpha_dropout.py.
 */
export const alphaDropoutLayer: LayerKind = inTraining(
  "AlphaDropout",
  z.strictObject({ rate }),
  ({ rate }, input, context) => {
    if (rate === 0) return input;
    const { builder } = context;
    const scale = 1 / Math.sqrt((1 - rate) * (1 + rate * saturated ** 2));
    const offset = -scale * saturated * rate;
    const number = (value: number): Value => builder.scalarLike(input.value, value);
    // The mask is 0 or 1/(1−rate); kept·x + (1 − kept)·saturated = kept·(x − saturated) + saturated.
    const kept = builder.apply("Mul", [context.mask(input.value.shape, rate), number(1 - rate)]);
    const moved = builder.apply("Mul", [builder.apply("Sub", [input.value, number(saturated)]), kept]);
    const scaled = builder.apply("Mul", [moved, number(scale)]);
    return { ...input, value: builder.apply("Add", [scaled, number(scale * saturated + offset)]) };
  },
);
