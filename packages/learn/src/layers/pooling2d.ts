import { z } from "zod";
import { paddingSchema, pairSchema } from "./arguments.ts";
import { imageWindows } from "./conv2d.ts";
import { defineLayer, imageShape, only } from "./layer.ts";
import type { EmitContext, LayerKind, LayerPlace } from "./layer.ts";
import type { Attributes, Value } from "../onnx/graph.ts";
import { channelsFirst } from "./layout.ts";
import { emitPooledConvolution } from "./pooled-convolution.ts";
import type { Windows } from "../onnx/windows.ts";

const schema = z.strictObject({
  poolSize: pairSchema.default(2),
  strides: pairSchema.optional(),
  padding: paddingSchema.default("valid"),
});

const windowsOf = (args: z.output<typeof schema>, image: readonly number[], place?: LayerPlace): Windows =>
  imageWindows({ kernel: args.poolSize, strides: args.strides ?? args.poolSize, padding: args.padding }, image, place);

/** Writes one kind of pooling over [batch, channels, height, width]. */
type EmitPooling = (context: EmitContext, x: Value, attributes: Attributes) => Value;

const pooling = (layer: string, emitPooling: EmitPooling): LayerKind =>
  defineLayer({
    layer,
    arguments: schema,
    outputShape: (args, inputs, place) => {
      const image = imageShape(inputs, place);
      return [...windowsOf(args, image, place).output, image[2]];
    },
    emit: (args, inputs, context) => {
      const input = only(inputs);
      const windows = windowsOf(args, input.shape);
      const value = emitPooling(context, channelsFirst(context.builder, input), {
        kernel_shape: windows.kernel,
        strides: windows.strides,
        pads: [...windows.before, ...windows.after],
      });
      return { value, shape: [...windows.output, input.shape[2] ?? 1], layout: "channels-first" };
    },
  });

/**
 * A ReLU in front is moved behind the pooling: the values and gradients are the same, and there are fewer elements to
 * look at. In training the pooling also gives the places of the maxima, which its gradient needs.
 */
const emitMaxPooling: EmitPooling = ({ builder, training }, x, attributes) => {
  const producer = builder.producer(x.name);
  const behind = producer?.operator === "Relu" ? producer.inputs[0] : undefined;
  const source = behind === undefined ? x : builder.value(behind);
  const joined = training ? emitPooledConvolution(builder, source, attributes) : undefined;
  const [pooled = source] =
    joined === undefined
      ? builder.applyMany("MaxPool", [source], { attributes, outputCount: training ? 2 : 1 })
      : [joined];
  return behind === undefined ? pooled : builder.apply("Relu", [pooled]);
};

/** The largest element of each window. */
export const maxPooling2dLayer: LayerKind = pooling("MaxPooling2D", emitMaxPooling);

/** The mean of each window; what padding adds does not count. */
export const averagePooling2dLayer: LayerKind = pooling("AveragePooling2D", ({ builder }, x, attributes) =>
  builder.apply("AveragePool", [x], { attributes }),
);

/** The mean of each channel over the whole image. */
export const globalAveragePooling2dLayer: LayerKind = defineLayer({
  layer: "GlobalAveragePooling2D",
  arguments: z.strictObject({ keepDims: z.boolean().default(false) }),
  outputShape: ({ keepDims }, inputs, place) => {
    const channels = imageShape(inputs, place)[2];
    return keepDims ? [1, 1, channels] : [channels];
  },
  emit: ({ keepDims }, inputs, { builder }) => {
    const input = only(inputs);
    const channels = input.shape[2] ?? 1;
    const value = builder.apply("ReduceMean", [channelsFirst(builder, input), builder.integers([2, 3])], {
      attributes: { keepdims: keepDims ? 1 : 0 },
    });
    return keepDims
      ? { value, shape: [1, 1, channels], layout: "channels-first" }
      : { value, shape: [channels], layout: "plain" };
  },
});
