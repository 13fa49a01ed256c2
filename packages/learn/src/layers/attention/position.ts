import { z } from "zod";
import { LearnError } from "../../errors.ts";
import { tensor } from "../../onnx/tensor.ts";
import { initializerSchema, lengthSchema } from "../arguments.ts";
import { defineLayer, only } from "../layer.ts";
import type { LayerKind } from "../layer.ts";
import { plainValue } from "../layout.ts";

/**
 * A learnt vector for each place of a sequence, for every sample: [steps, features], `embeddings`
 * [sequenceLength, features]. Add it to the sequence.
 * Source: keras_hub/src/layers/modeling/position_embedding.py.
 */
export const positionEmbeddingLayer: LayerKind = defineLayer({
  layer: "PositionEmbedding",
  arguments: z.strictObject({
    sequenceLength: lengthSchema,
    embeddingsInitializer: initializerSchema.default("glorot_uniform"),
  }),
  passesMask: true,
  outputShape: ({ sequenceLength }, inputs, place) => {
    const shape = only(inputs, place);
    if (shape.length === 2 && (shape[0] ?? 1) <= sequenceLength) return shape;
    throw new LearnError(
      "shape-mismatch",
      `PositionEmbedding "${place.name}" expects a sequence [steps, features] of at most ${sequenceLength} steps, but its input has shape [${shape.join(", ")}]. Raise sequenceLength.`,
    );
  },
  weights: ({ sequenceLength, embeddingsInitializer: initializer }, inputs) => [
    { name: "embeddings", shape: [sequenceLength, only(inputs)[1] ?? 1], initializer, trainable: true },
  ],
  emit: (_, inputs, context) => {
    const { builder } = context;
    const input = only(inputs);
    const places = builder.apply("Slice", [
      context.weight("embeddings"),
      builder.integers([0]),
      builder.integers([input.shape[0] ?? 1]),
      builder.integers([0]),
    ]);
    // Adding to zeros of the input's shape gives the batch its length.
    const value = plainValue(builder, input);
    const zeros = builder.apply("Mul", [value, builder.scalarLike(value, 0)]);
    return { ...input, layout: "plain", value: builder.apply("Add", [zeros, places]) };
  },
});

/**
 * Sines and cosines of the place, of wavelengths from 2π to maxWavelength · 2π (Vaswani et al. 2017), for every sample.
 * Source: keras_hub/src/layers/modeling/sine_position_encoding.py.
 */
export const sinePositionEncodingLayer: LayerKind = defineLayer({
  layer: "SinePositionEncoding",
  arguments: z.strictObject({ maxWavelength: z.number().positive().default(10_000) }),
  passesMask: true,
  outputShape: (_, inputs, place) => {
    const shape = only(inputs, place);
    if (shape.length === 2) return shape;
    throw new LearnError(
      "shape-mismatch",
      `SinePositionEncoding "${place.name}" expects a sequence [steps, features], but its input has shape [${shape.join(", ")}].`,
    );
  },
  emit: ({ maxWavelength }, inputs, { builder }) => {
    const input = only(inputs);
    const [steps = 1, features = 1] = input.shape;
    const encoding = Array.from({ length: steps * features }, (_, at) => {
      const [step, feature] = [Math.floor(at / features), at % features];
      const angle = step * maxWavelength ** (-(2 * Math.floor(feature / 2)) / features);
      return feature % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
    });
    const value = plainValue(builder, input);
    const zeros = builder.apply("Mul", [value, builder.scalarLike(value, 0)]);
    const places = builder.constant(tensor("float32", [steps, features], encoding));
    return { ...input, layout: "plain", value: builder.apply("Add", [zeros, places]) };
  },
});
