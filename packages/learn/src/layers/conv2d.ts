import { z } from "zod";
import { LearnError } from "../errors.ts";
import { resolveWindows } from "../onnx/windows.ts";
import type { Windows } from "../onnx/windows.ts";
import { activationSchema, emitActivation, isElementwise } from "./activations.ts";
import { bothOf, initializerSchema, lengthSchema, paddingSchema, pairSchema } from "./arguments.ts";
import type { Padding, Pair } from "./arguments.ts";
import { defineLayer, imageShape, only } from "./layer.ts";
import type { LayerKind, LayerPlace, LayerValue, WeightStorage } from "./layer.ts";
import { channelsFirst, plain } from "./layout.ts";

const schema = z.strictObject({
  filters: lengthSchema,
  kernelSize: pairSchema,
  strides: pairSchema.default(1),
  padding: paddingSchema.default("valid"),
  dilationRate: pairSchema.default(1),
  groups: lengthSchema.default(1),
  activation: activationSchema.default("linear"),
  useBias: z.boolean().default(true),
  kernelInitializer: initializerSchema.default("glorot_uniform"),
  biasInitializer: initializerSchema.default("zeros"),
});

interface WindowArguments {
  readonly kernel: Pair;
  readonly strides: Pair;
  readonly dilations?: Pair;
  readonly padding: Padding;
}

/** Resolves a window's movement over an image; `same` pads as Keras does, the odd element last. */
export const imageWindows = (args: WindowArguments, image: readonly number[], place?: LayerPlace): Windows => {
  const windows = resolveWindows({
    kernel: bothOf(args.kernel),
    spatial: image.slice(0, 2),
    attributes: {
      strides: bothOf(args.strides),
      dilations: bothOf(args.dilations ?? 1),
      auto_pad: args.padding === "same" ? "SAME_UPPER" : "VALID",
    },
  });
  if (windows.output.some((length) => length < 1)) {
    throw new LearnError(
      "shape-mismatch",
      `${place?.layer ?? "The layer"} "${place?.name ?? ""}" has a window of ${bothOf(args.kernel).join(" × ")}, which does not fit into its input of ${image.slice(0, 2).join(" × ")}. Use a smaller window, padding "same", or fewer poolings in front.`,
    );
  }
  return windows;
};

const windowsOf = (args: z.output<typeof schema>, image: readonly number[], place?: LayerPlace): Windows =>
  imageWindows(
    { kernel: args.kernelSize, strides: args.strides, dilations: args.dilationRate, padding: args.padding },
    image,
    place,
  );

const kernelShape = (args: z.output<typeof schema>, channels: number): readonly number[] => [
  ...bothOf(args.kernelSize),
  channels / args.groups,
  args.filters,
];

/** Keras keeps kernels as [height, width, in, out], the engine takes [out, in, height, width]. */
const kernelStorage = (shape: readonly number[]): WeightStorage => {
  const order = [3, 2, 0, 1];
  return { unfolded: shape, order, shape: order.map((axis) => shape[axis] ?? 1) };
};

/** Two-dimensional convolution: kernel [height, width, in / groups, filters], bias [filters]. */
export const conv2dLayer: LayerKind = defineLayer({
  layer: "Conv2D",
  arguments: schema,
  outputShape: (args, inputs, place) => {
    const image = imageShape(inputs, place);
    if (image[2] % args.groups !== 0 || args.filters % args.groups !== 0) {
      throw new LearnError(
        "layer-invalid",
        `${place.layer} "${place.name}" has groups ${args.groups}, which must divide its ${image[2]} input channels and its ${args.filters} filters.`,
      );
    }
    return [...windowsOf(args, image, place).output, args.filters];
  },
  weights: (args, inputs) => [
    {
      name: "kernel",
      shape: kernelShape(args, only(inputs)[2] ?? 1),
      initializer: args.kernelInitializer,
      trainable: true,
    },
    ...(args.useBias
      ? [{ name: "bias", shape: [args.filters], initializer: args.biasInitializer, trainable: true }]
      : []),
  ],
  emit: (args, inputs, context): LayerValue => {
    const input = only(inputs);
    const { builder } = context;
    const windows = windowsOf(args, input.shape);
    const kernel = context.weight("kernel", kernelStorage(kernelShape(args, input.shape[2] ?? 1)));
    const bias = args.useBias ? [context.weight("bias")] : [];
    const sum = builder.apply("Conv", [channelsFirst(builder, input), kernel, ...bias], {
      attributes: {
        kernel_shape: windows.kernel,
        strides: windows.strides,
        dilations: windows.dilations,
        pads: [...windows.before, ...windows.after],
        group: args.groups,
      },
    });
    const result: LayerValue = { value: sum, shape: [...windows.output, args.filters], layout: "channels-first" };
    const activated = isElementwise(args.activation) ? result : plain(builder, result);
    return { ...activated, value: emitActivation(builder, activated.value, args.activation) };
  },
});
