import { z } from "zod";
import { activatedShape, activationSchema } from "./activation-config.ts";
import { initializerSchema, lengthSchema, lengthsOf, lengthsSchema, paddingSchema } from "./arguments.ts";
import type { Lengths } from "./arguments.ts";
import { defineLayer, only, spatialShape } from "./layer.ts";
import type { LayerKind } from "./layer.ts";
import { channelsFirst } from "./layout.ts";
import { activatedImage, kernelStorage, ranks } from "./spatial.ts";
import type { Rank } from "./spatial.ts";

const schemaOf = (rank: Rank) =>
  z.strictObject({
    filters: lengthSchema,
    kernelSize: lengthsSchema(rank),
    strides: lengthsSchema(rank).default(1),
    padding: paddingSchema.default("valid"),
    outputPadding: z
      .union([z.int().min(0), z.array(z.int().min(0)).length(rank)])
      .nullable()
      .default(null),
    dilationRate: lengthsSchema(rank).default(1),
    activation: activationSchema.default("linear"),
    useBias: z.boolean().default(true),
    kernelInitializer: initializerSchema.default("glorot_uniform"),
    biasInitializer: initializerSchema.default("zeros"),
  });
type Arguments = z.output<ReturnType<typeof schemaOf>>;

/** How one axis is spread: its whole length (n − 1) · stride + extent loses `before` and `after`. */
interface Spread {
  readonly output: number;
  readonly before: number;
  readonly after: number;
}

/**
 * Lengths and crops by Keras' rules, which place the window as the gradient of a convolution with the same padding does.
 * Source: keras/src/backend/common/backend_utils.py.
 */
const spreadAxis = (
  length: number,
  axis: { readonly extent: number; readonly stride: number; readonly extra: number | undefined },
  same: boolean,
): Spread => {
  const { extent, stride, extra } = axis;
  const whole = (length - 1) * stride + extent;
  if (!same) {
    const added = extra ?? Math.max(extent, stride) - extent;
    return { output: whole + added, before: 0, after: -added };
  }
  const padding = extra === undefined ? stride + extent - 2 : extent + (extent % 2) - 2 + extra;
  const left = Math.min(Math.floor(padding / 2) + (padding % 2), extent - 1);
  const before = extent - 1 - left;
  const after = extent - 1 - (padding - left);
  return { output: whole - before - after, before, after };
};

const spreadOf = (args: Arguments, rank: Rank, sample: readonly number[]): readonly Spread[] => {
  const [kernel, strides, dilations] = [args.kernelSize, args.strides, args.dilationRate].map((lengths: Lengths) =>
    lengthsOf(lengths, rank),
  );
  const extra = args.outputPadding === null ? undefined : lengthsOf(args.outputPadding, rank);
  return sample.slice(0, rank).map((length, axis) => {
    const extent = ((kernel?.[axis] ?? 1) - 1) * (dilations?.[axis] ?? 1) + 1;
    return spreadAxis(length, { extent, stride: strides?.[axis] ?? 1, extra: extra?.[axis] }, args.padding === "same");
  });
};

const transposed = (rank: Rank): LayerKind =>
  defineLayer<Arguments>({
    layer: `Conv${rank}DTranspose`,
    arguments: schemaOf(rank),
    outputShape: (args, inputs, place) => {
      const sample = spatialShape(inputs, rank, place);
      const lengths = spreadOf(args, rank, sample).map(({ output }) => output);
      return activatedShape(args.activation, [...lengths, args.filters]);
    },
    weights: (args, inputs) => [
      {
        name: "kernel",
        shape: [...lengthsOf(args.kernelSize, rank), args.filters, only(inputs).at(-1) ?? 1],
        initializer: args.kernelInitializer,
        trainable: true,
      },
      ...(args.useBias
        ? [{ name: "bias", shape: [args.filters], initializer: args.biasInitializer, trainable: true }]
        : []),
    ],
    emit: (args, inputs, context) => {
      const input = only(inputs);
      const { builder } = context;
      const kernelSize = lengthsOf(args.kernelSize, rank);
      const spread = spreadOf(args, rank, input.shape);
      const kernel = context.weight("kernel", kernelStorage([...kernelSize, args.filters, input.shape.at(-1) ?? 1]));
      const bias = args.useBias ? [context.weight("bias")] : [];
      const value = builder.apply("ConvTranspose", [channelsFirst(builder, input), kernel, ...bias], {
        attributes: {
          kernel_shape: kernelSize,
          strides: lengthsOf(args.strides, rank),
          dilations: lengthsOf(args.dilationRate, rank),
          pads: [...spread.map(({ before }) => before), ...spread.map(({ after }) => Math.max(after, 0))],
          output_padding: spread.map(({ after }) => Math.max(-after, 0)),
        },
      });
      const shape = [...spread.map(({ output }) => output), args.filters];
      return activatedImage(context, value, { shape, activation: args.activation });
    },
  });

/** Transposed convolutions, which spread each element over a window: kernel [...window, filters, in], bias [filters]. */
export const transposedConvolutionLayers: readonly LayerKind[] = ranks.map(transposed);
