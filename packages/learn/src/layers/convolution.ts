import { z } from "zod";
import { LearnError } from "../errors.ts";
import type { Value } from "../onnx/graph.ts";
import type { Windows } from "../onnx/windows.ts";
import { activatedShape, activationSchema } from "./activation-config.ts";
import type { Activation } from "./activation-config.ts";
import { initializerSchema, lengthSchema, lengthsOf, lengthsSchema, paddingSchema } from "./arguments.ts";
import type { Lengths, Padding } from "./arguments.ts";
import type { Initializer } from "../initializers/index.ts";
import { defineLayer, only, spatialShape } from "./layer.ts";
import type { EmitContext, LayerKind, LayerPlace, WeightSpec } from "./layer.ts";
import { channelsFirst } from "./layout.ts";
import { activatedImage, kernelStorage, sampleWindows, windowAttributes } from "./spatial.ts";
import type { Rank } from "./spatial.ts";

interface ConvolutionArguments {
  readonly filters: number;
  readonly kernelSize: Lengths;
  readonly strides: Lengths;
  readonly padding: Padding | "causal";
  readonly dilationRate: Lengths;
  readonly groups: number;
  readonly activation: Activation;
  readonly useBias: boolean;
  readonly kernelInitializer: Initializer;
  readonly biasInitializer: Initializer;
}

const schemaOf = (rank: Rank): z.ZodType<ConvolutionArguments> =>
  z.strictObject({
    filters: lengthSchema,
    kernelSize: lengthsSchema(rank),
    strides: lengthsSchema(rank).default(1),
    padding: rank === 1 ? z.enum(["valid", "same", "causal"]).default("valid") : paddingSchema.default("valid"),
    dilationRate: lengthsSchema(rank).default(1),
    groups: lengthSchema.default(1),
    activation: activationSchema.default("linear"),
    useBias: z.boolean().default(true),
    kernelInitializer: initializerSchema.default("glorot_uniform"),
    biasInitializer: initializerSchema.default("zeros"),
  });

const windowsOf = (
  {
    kernelSize,
    strides,
    dilationRate,
    padding,
  }: Pick<ConvolutionArguments, "kernelSize" | "strides" | "dilationRate" | "padding">,
  rank: Rank,
  at: { readonly sample: readonly number[]; readonly place?: LayerPlace },
): Windows =>
  sampleWindows({ rank, kernel: kernelSize, strides, dilations: dilationRate, padding }, at.sample, at.place);

const biasSpec = (
  args: { readonly useBias: boolean; readonly biasInitializer: Initializer },
  length: number,
): readonly WeightSpec[] =>
  args.useBias ? [{ name: "bias", shape: [length], initializer: args.biasInitializer, trainable: true }] : [];

const kernelShape = (args: ConvolutionArguments, rank: Rank, channels: number): readonly number[] => [
  ...lengthsOf(args.kernelSize, rank),
  channels / args.groups,
  args.filters,
];

const convolution = (rank: Rank): LayerKind =>
  defineLayer<ConvolutionArguments>({
    layer: `Conv${rank}D`,
    arguments: schemaOf(rank),
    outputShape: (args, inputs, place) => {
      const sample = spatialShape(inputs, rank, place);
      const channels = sample.at(-1) ?? 1;
      if (channels % args.groups !== 0 || args.filters % args.groups !== 0) {
        throw new LearnError(
          "layer-invalid",
          `${place.layer} "${place.name}" has groups ${args.groups}, which must divide its ${channels} input channels and its ${args.filters} filters.`,
        );
      }
      return activatedShape(args.activation, [...windowsOf(args, rank, { sample, place }).output, args.filters]);
    },
    weights: (args, inputs) => [
      {
        name: "kernel",
        shape: kernelShape(args, rank, only(inputs).at(-1) ?? 1),
        initializer: args.kernelInitializer,
        trainable: true,
      },
      ...biasSpec(args, args.filters),
    ],
    emit: (args, inputs, context) => {
      const input = only(inputs);
      const { builder } = context;
      const windows = windowsOf(args, rank, { sample: input.shape });
      const kernel = context.weight("kernel", kernelStorage(kernelShape(args, rank, input.shape.at(-1) ?? 1)));
      const bias = args.useBias ? [context.weight("bias")] : [];
      const sum = builder.apply("Conv", [channelsFirst(builder, input), kernel, ...bias], {
        attributes: { ...windowAttributes(windows), group: args.groups },
      });
      const shape = [...windows.output, args.filters];
      return activatedImage(context, sum, { shape, activation: args.activation });
    },
  });

interface DepthwiseArguments {
  readonly kernelSize: Lengths;
  readonly strides: Lengths;
  readonly padding: Padding;
  readonly dilationRate: Lengths;
  readonly depthMultiplier: number;
  readonly activation: Activation;
  readonly useBias: boolean;
  readonly depthwiseInitializer: Initializer;
  readonly biasInitializer: Initializer;
}

const depthwiseFields = (rank: Rank) => ({
  kernelSize: lengthsSchema(rank),
  strides: lengthsSchema(rank).default(1),
  padding: paddingSchema.default("valid"),
  dilationRate: lengthsSchema(rank).default(1),
  depthMultiplier: lengthSchema.default(1),
  activation: activationSchema.default("linear"),
  useBias: z.boolean().default(true),
  depthwiseInitializer: initializerSchema.default("glorot_uniform"),
  biasInitializer: initializerSchema.default("zeros"),
});

const depthwiseShape = (
  args: Pick<DepthwiseArguments, "kernelSize" | "depthMultiplier">,
  rank: Rank,
  channels: number,
): readonly number[] => [...lengthsOf(args.kernelSize, rank), channels, args.depthMultiplier];

/** Convolves every channel apart; the kernel [...window, in, multiplier] lies as [in · multiplier, 1, ...window]. */
const emitDepthwise = (
  context: EmitContext,
  x: Value,
  options: {
    readonly windows: Windows;
    readonly shape: readonly number[];
    readonly name: string;
    readonly bias?: Value | undefined;
  },
): Value => {
  const { windows, shape, name, bias } = options;
  const rank = windows.kernel.length;
  const channels = shape[rank] ?? 1;
  const kernel = context.weight(name, {
    unfolded: shape,
    order: [rank, rank + 1, ...windows.kernel.map((_, axis) => axis)],
    shape: [channels * (shape[rank + 1] ?? 1), 1, ...windows.kernel],
  });
  return context.builder.apply("Conv", bias === undefined ? [x, kernel] : [x, kernel, bias], {
    attributes: { ...windowAttributes(windows), group: channels },
  });
};

const depthwise = (rank: 1 | 2): LayerKind =>
  defineLayer<DepthwiseArguments>({
    layer: `DepthwiseConv${rank}D`,
    arguments: z.strictObject(depthwiseFields(rank)),
    outputShape: (args, inputs, place) => {
      const sample = spatialShape(inputs, rank, place);
      const channels = (sample.at(-1) ?? 1) * args.depthMultiplier;
      return activatedShape(args.activation, [...windowsOf(args, rank, { sample, place }).output, channels]);
    },
    weights: (args, inputs) => {
      const channels = only(inputs).at(-1) ?? 1;
      const shape = depthwiseShape(args, rank, channels);
      return [
        // Keras 3 names this weight `kernel`, whatever the initializer is called.
        { name: "kernel", shape, initializer: args.depthwiseInitializer, trainable: true },
        ...biasSpec(args, channels * args.depthMultiplier),
      ];
    },
    emit: (args, inputs, context) => {
      const input = only(inputs);
      const channels = input.shape.at(-1) ?? 1;
      const windows = windowsOf(args, rank, { sample: input.shape });
      const value = emitDepthwise(context, channelsFirst(context.builder, input), {
        windows,
        shape: depthwiseShape(args, rank, channels),
        name: "kernel",
        bias: args.useBias ? context.weight("bias") : undefined,
      });
      const shape = [...windows.output, channels * args.depthMultiplier];
      return activatedImage(context, value, { shape, activation: args.activation });
    },
  });

interface SeparableArguments extends DepthwiseArguments {
  readonly filters: number;
  readonly pointwiseInitializer: Initializer;
}

const separable = (rank: 1 | 2): LayerKind =>
  defineLayer<SeparableArguments>({
    layer: `SeparableConv${rank}D`,
    arguments: z.strictObject({
      ...depthwiseFields(rank),
      filters: lengthSchema,
      pointwiseInitializer: initializerSchema.default("glorot_uniform"),
    }),
    outputShape: (args, inputs, place) => {
      const sample = spatialShape(inputs, rank, place);
      return activatedShape(args.activation, [...windowsOf(args, rank, { sample, place }).output, args.filters]);
    },
    weights: (args, inputs) => {
      const channels = only(inputs).at(-1) ?? 1;
      const shape = depthwiseShape(args, rank, channels);
      const point = [...shape.slice(0, rank).map(() => 1), channels * args.depthMultiplier, args.filters];
      return [
        { name: "depthwise_kernel", shape, initializer: args.depthwiseInitializer, trainable: true },
        { name: "pointwise_kernel", shape: point, initializer: args.pointwiseInitializer, trainable: true },
        ...biasSpec(args, args.filters),
      ];
    },
    emit: (args, inputs, context) => {
      const input = only(inputs);
      const { builder } = context;
      const channels = input.shape.at(-1) ?? 1;
      const windows = windowsOf(args, rank, { sample: input.shape });
      const shape = depthwiseShape(args, rank, channels);
      const deep = emitDepthwise(context, channelsFirst(builder, input), { windows, shape, name: "depthwise_kernel" });
      const ones = windows.kernel.map(() => 1);
      const point = context.weight(
        "pointwise_kernel",
        kernelStorage([...ones, channels * args.depthMultiplier, args.filters]),
      );
      const bias = args.useBias ? [context.weight("bias")] : [];
      const value = builder.apply("Conv", [deep, point, ...bias], { attributes: { kernel_shape: ones } });
      return activatedImage(context, value, {
        shape: [...windows.output, args.filters],
        activation: args.activation,
      });
    },
  });

/** Convolutions over sequences, images and volumes: kernel [...window, in / groups, filters], bias [filters]. */
export const convolutionLayers: readonly LayerKind[] = [1, 2, 3].map((rank) => convolution(rank as Rank));

/** Convolutions of every channel apart: kernel [...window, in, multiplier], bias [in · multiplier]. */
export const depthwiseConvolutionLayers: readonly LayerKind[] = [depthwise(1), depthwise(2)];

/** A depthwise convolution and one over single places behind it. */
export const separableConvolutionLayers: readonly LayerKind[] = [separable(1), separable(2)];
