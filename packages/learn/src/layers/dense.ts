import { z } from "zod";
import type { GraphBuilder } from "../onnx/builder.ts";
import type { Value } from "../onnx/graph.ts";
import { activatedShape, activationSchema } from "./activation-config.ts";
import { emitActivation } from "./activations.ts";
import { elementCount } from "../onnx/tensor.ts";
import { initializerSchema, lengthSchema } from "./arguments.ts";
import { defineLayer, only } from "./layer.ts";
import type { LayerKind, LayerValue, WeightStorage } from "./layer.ts";
import { plainValue } from "./layout.ts";

const schema = z.strictObject({
  units: lengthSchema,
  activation: activationSchema.default("linear"),
  useBias: z.boolean().default(true),
  kernelInitializer: initializerSchema.default("glorot_uniform"),
  biasInitializer: initializerSchema.default("zeros"),
});

/** An image that was flattened channels first is met by a kernel whose rows are reordered alike, which costs nothing a step. */
const flattenedStorage = (image: readonly number[], units: number): WeightStorage => {
  const channels = image.length - 1;
  return {
    unfolded: [...image, units],
    order: [channels, ...image.slice(0, -1).map((_, axis) => axis), channels + 1],
    shape: [elementCount(image), units],
  };
};

const product = (builder: GraphBuilder, [x, kernel]: readonly [Value, Value], bias: Value | undefined): Value => {
  if (x.shape.length === 2) return builder.apply("Gemm", bias === undefined ? [x, kernel] : [x, kernel, bias]);
  const result = builder.apply("MatMul", [x, kernel]);
  return bias === undefined ? result : builder.apply("Add", [result, bias]);
};

/** A matrix product over the last axis: activation(x · kernel + bias), kernel [in, units], bias [units]. */
export const denseLayer: LayerKind = defineLayer({
  layer: "Dense",
  arguments: schema,
  passesMask: true,
  outputShape: ({ units, activation }, inputs, place) =>
    activatedShape(activation, only(inputs, place).with(-1, units)),
  weights: ({ units, useBias, kernelInitializer, biasInitializer }, inputs) => [
    { name: "kernel", shape: [only(inputs).at(-1) ?? 1, units], initializer: kernelInitializer, trainable: true },
    ...(useBias ? [{ name: "bias", shape: [units], initializer: biasInitializer, trainable: true }] : []),
  ],
  emit: ({ units, useBias, activation }, inputs, context): LayerValue => {
    const input = only(inputs);
    const { builder } = context;
    const image = input.layout === "flattened" ? input.image : undefined;
    const x = image === undefined ? plainValue(builder, input) : input.value;
    const kernel = context.weight("kernel", image === undefined ? undefined : flattenedStorage(image, units));
    const sum = product(builder, [x, kernel], useBias ? context.weight("bias") : undefined);
    return {
      value: emitActivation(builder, sum, activation),
      shape: activatedShape(activation, input.shape.with(-1, units)),
      layout: "plain",
    };
  },
});
