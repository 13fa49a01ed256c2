import { z } from "zod";
import { elementCount } from "../onnx/tensor.ts";
import { activatedShape, activationSchema, isElementwise } from "./activation-config.ts";
import type { Activation } from "./activation-config.ts";
import { emitActivation } from "./activations.ts";
import { initializerSchema } from "./arguments.ts";
import { defineLayer, only, sampleAxis } from "./layer.ts";
import type { LayerDefinition, LayerKind, LayerValue, SampleShape } from "./layer.ts";
import { plain } from "./layout.ts";

/** Applies an activation to a layer's value, in the layout it needs. */
export const activate = (
  builder: Parameters<typeof plain>[0],
  given: LayerValue,
  activation: Activation,
): LayerValue => {
  const input = isElementwise(activation) ? given : plain(builder, given);
  return {
    ...input,
    value: emitActivation(builder, input.value, activation),
    shape: activatedShape(activation, input.shape),
  };
};

const layerOf = <Arguments>(
  layer: string,
  schema: z.ZodType<Arguments>,
  activationOf: (args: Arguments) => Activation,
): LayerKind =>
  defineLayer({
    layer,
    arguments: schema,
    passesMask: true,
    outputShape: (args, inputs, place) => activatedShape(activationOf(args), only(inputs, place)),
    emit: (args, inputs, { builder }) => activate(builder, only(inputs), activationOf(args)),
  });

/** An activation as a layer of its own. */
export const activationLayer: LayerKind = layerOf(
  "Activation",
  z.strictObject({ activation: activationSchema }),
  ({ activation }) => activation,
);

/** Rectifies; see the activation `relu`. */
export const reluLayer: LayerKind = layerOf(
  "ReLU",
  z.strictObject({
    maxValue: z.number().min(0).optional(),
    negativeSlope: z.number().min(0).default(0),
    threshold: z.number().default(0),
  }),
  (args) => ({ name: "relu", ...args }),
);

/** Rectifies with a slope below zero, 0.3 by default (the activation `leaky_relu` has 0.2). */
export const leakyReluLayer: LayerKind = layerOf(
  "LeakyReLU",
  z.strictObject({ negativeSlope: z.number().min(0).default(0.3) }),
  ({ negativeSlope }) => ({ name: "leaky_relu", negativeSlope }),
);

/** The exponential linear unit with its α. */
export const eluLayer: LayerKind = layerOf(
  "ELU",
  z.strictObject({ alpha: z.number().positive().default(1) }),
  ({ alpha }) => ({ name: "elu", alpha }),
);

/** Softmax over an axis, which counts the batch as 0. */
export const softmaxLayer: LayerKind = defineLayer({
  layer: "Softmax",
  arguments: z.strictObject({ axis: z.int().default(-1) }),
  passesMask: true,
  outputShape: ({ axis }, inputs, place) => {
    const shape = only(inputs, place);
    sampleAxis(axis, shape, place);
    return shape;
  },
  emit: ({ axis }, inputs, { builder }) => activate(builder, only(inputs), { name: "softmax", axis }),
});

const preluSchema = z.strictObject({
  alphaInitializer: initializerSchema.default("zeros"),
  sharedAxes: z.array(z.int().min(1)).default([]),
});

const slopeShape = (sharedAxes: readonly number[], shape: SampleShape): SampleShape =>
  shape.map((length, axis) => (sharedAxes.includes(axis + 1) ? 1 : length));

const prelu: LayerDefinition<z.output<typeof preluSchema>> = {
  layer: "PReLU",
  arguments: preluSchema,
  passesMask: true,
  outputShape: ({ sharedAxes }, inputs, place) => {
    const shape = only(inputs, place);
    for (const axis of sharedAxes) sampleAxis(axis, shape, place);
    return shape;
  },
  weights: ({ alphaInitializer, sharedAxes }, inputs) => [
    { name: "alpha", shape: slopeShape(sharedAxes, only(inputs)), initializer: alphaInitializer, trainable: true },
  ],
  emit: ({ sharedAxes }, inputs, context) => {
    const { builder } = context;
    const given = only(inputs);
    const slopes = slopeShape(sharedAxes, given.shape);
    // With one slope a channel nothing needs to be moved: the slopes stand along the channels wherever they are.
    const perChannel = elementCount(slopes) === slopes.at(-1) && given.layout === "channels-first";
    const input = perChannel ? given : plain(builder, given);
    const alpha = context.weight("alpha");
    const slope = perChannel
      ? builder.apply("Reshape", [alpha, builder.integers([slopes.at(-1) ?? 1, ...slopes.slice(1).map(() => 1)])])
      : alpha;
    return { ...input, value: builder.apply("PRelu", [input.value, slope]) };
  },
};

/** Rectifies with a slope below zero that is learnt: `alpha` of the sample's shape, 1 along shared axes. */
export const preluLayer: LayerKind = defineLayer(prelu);
