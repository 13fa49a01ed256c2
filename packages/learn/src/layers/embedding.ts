import { z } from "zod";
import { initializerSchema, lengthSchema } from "./arguments.ts";
import { defineLayer, only } from "./layer.ts";
import type { LayerKind } from "./layer.ts";
import { plain } from "./layout.ts";

/**
 * A learnt vector for each whole number: `embeddings` [inputDim, outputDim]; the result has one more axis. Numbers are
 * rounded down; with `maskZero` the number 0 is padding.
 * Source: keras/src/layers/core/embedding.py.
 */
export const embeddingLayer: LayerKind = defineLayer({
  layer: "Embedding",
  arguments: z.strictObject({
    inputDim: lengthSchema,
    outputDim: lengthSchema,
    embeddingsInitializer: initializerSchema.default("random_uniform"),
    maskZero: z.boolean().default(false),
  }),
  outputShape: ({ outputDim }, inputs, place) => [...only(inputs, place), outputDim],
  weights: ({ inputDim, outputDim, embeddingsInitializer }) => [
    { name: "embeddings", shape: [inputDim, outputDim], initializer: embeddingsInitializer, trainable: true },
  ],
  emit: ({ outputDim, maskZero }, inputs, context) => {
    const { builder } = context;
    const input = plain(builder, only(inputs));
    const numbers = builder.cast(input.value, "int32");
    const value = builder.apply("Gather", [context.weight("embeddings"), numbers], { attributes: { axis: 0 } });
    const result = { value, shape: [...input.shape, outputDim], layout: "plain" } as const;
    if (!maskZero) return result;
    const padding = builder.apply("Equal", [numbers, builder.scalarLike(numbers, 0)]);
    return { ...result, mask: builder.apply("Not", [padding]) };
  },
});

/**
 * Marks the steps whose elements all equal `maskValue` as padding, and sets them to 0.
 * Source: keras/src/layers/core/masking.py.
 */
export const maskingLayer: LayerKind = defineLayer({
  layer: "Masking",
  arguments: z.strictObject({ maskValue: z.number().default(0) }),
  outputShape: (_, inputs, place) => only(inputs, place),
  emit: ({ maskValue }, inputs, { builder }) => {
    const input = plain(builder, only(inputs));
    const equal = builder.apply("Equal", [input.value, builder.scalarLike(input.value, maskValue)]);
    const other = builder.cast(builder.apply("Not", [equal]), "float32");
    const last = builder.integers([input.value.shape.length - 1]);
    const kept = builder.apply("ReduceMax", [other, last], { attributes: { keepdims: 1 } });
    const flat = builder.apply("Squeeze", [kept, last]);
    const mask = builder.cast(flat, "bool");
    return { ...input, value: builder.apply("Mul", [input.value, kept]), mask };
  },
});
