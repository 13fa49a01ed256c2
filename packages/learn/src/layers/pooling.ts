import { z } from "zod";
import type { Attributes, Value } from "../onnx/graph.ts";
import type { Windows } from "../onnx/windows.ts";
import { lengthsSchema, paddingSchema } from "./arguments.ts";
import type { Lengths, Padding } from "./arguments.ts";
import { defineLayer, only, spatialShape } from "./layer.ts";
import type { EmitContext, LayerKind, LayerPlace, LayerValue } from "./layer.ts";
import { channelsFirst, plainValue } from "./layout.ts";
import { emitPooledConvolution } from "./pooled-convolution.ts";
import { ranks, sampleWindows } from "./spatial.ts";
import type { Rank } from "./spatial.ts";

interface PoolingArguments {
  readonly poolSize: Lengths;
  readonly strides?: Lengths | undefined;
  readonly padding: Padding;
}

const schemaOf = (rank: Rank): z.ZodType<PoolingArguments> =>
  z.strictObject({
    poolSize: lengthsSchema(rank).default(2),
    strides: lengthsSchema(rank).optional(),
    padding: paddingSchema.default("valid"),
  });

const windowsOf = (
  args: PoolingArguments,
  rank: Rank,
  at: { readonly sample: readonly number[]; readonly place?: LayerPlace },
): Windows =>
  sampleWindows(
    { rank, kernel: args.poolSize, strides: args.strides ?? args.poolSize, padding: args.padding },
    at.sample,
    at.place,
  );

/** Writes one kind of pooling over [batch, channels, …spatial]. */
type EmitPooling = (context: EmitContext, x: Value, attributes: Attributes) => Value;

const pooling = (kind: "Max" | "Average", rank: Rank): LayerKind =>
  defineLayer<PoolingArguments>({
    layer: `${kind}Pooling${rank}D`,
    arguments: schemaOf(rank),
    outputShape: (args, inputs, place) => {
      const sample = spatialShape(inputs, rank, place);
      return [...windowsOf(args, rank, { sample, place }).output, sample.at(-1) ?? 1];
    },
    emit: (args, inputs, context) => {
      const input = only(inputs);
      const windows = windowsOf(args, rank, { sample: input.shape });
      const value = emitters[kind](context, channelsFirst(context.builder, input), {
        kernel_shape: windows.kernel,
        strides: windows.strides,
        pads: [...windows.before, ...windows.after],
      });
      return { value, shape: [...windows.output, input.shape.at(-1) ?? 1], layout: "channels-first" };
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

const emitters: Readonly<Record<"Max" | "Average", EmitPooling>> = {
  Max: emitMaxPooling,
  Average: ({ builder }, x, attributes) => builder.apply("AveragePool", [x], { attributes }),
};

/** The mean over the steps that the mask keeps. */
const maskedMean = (context: EmitContext, input: LayerValue, mask: Value): Value => {
  const { builder } = context;
  const counts = builder.apply("Unsqueeze", [builder.cast(mask, "float32"), builder.integers([2])]);
  const sum = (value: Value): Value => builder.apply("ReduceSum", [value, builder.integers([1])]);
  const kept = sum(builder.apply("Mul", [plainValue(builder, input), counts]));
  return builder.apply("Div", [kept, sum(counts)]);
};

const globalPooling = (kind: "Max" | "Average", rank: Rank): LayerKind =>
  defineLayer({
    layer: `Global${kind}Pooling${rank}D`,
    arguments: z.strictObject({ keepDims: z.boolean().default(false) }),
    outputShape: ({ keepDims }, inputs, place) => {
      const shape = spatialShape(inputs, rank, place);
      return keepDims ? shape.map((length, axis) => (axis < rank ? 1 : length)) : shape.slice(-1);
    },
    emit: ({ keepDims }, inputs, context) => {
      const input = only(inputs);
      const { builder } = context;
      const first = input.layout === "channels-first";
      const axes = Array.from({ length: rank }, (_, axis) => axis + (first ? 2 : 1));
      const x = first ? input.value : plainValue(builder, input);
      const masked = kind === "Average" && rank === 1 ? input.mask : undefined;
      const pooled =
        masked === undefined
          ? builder.apply(kind === "Max" ? "ReduceMax" : "ReduceMean", [x, builder.integers(axes)])
          : maskedMean(context, input, masked);
      const channels = input.shape.at(-1) ?? 1;
      // One place is left, so that channels first and last are the same bytes.
      const shape = keepDims ? [...axes.map(() => 1), channels] : [channels];
      const [batch] = pooled.shape;
      const lengths = [typeof batch === "number" ? batch : -1, ...shape];
      return { value: builder.apply("Reshape", [pooled, builder.integers(lengths)]), shape, layout: "plain" };
    },
  });

/** The largest element, or the mean, of each window; what padding adds does not count. */
export const poolingLayers: readonly LayerKind[] = ranks.flatMap((rank) => [
  pooling("Max", rank),
  pooling("Average", rank),
]);

/** The largest element, or the mean, of each channel; the mean over a sequence minds its mask. */
export const globalPoolingLayers: readonly LayerKind[] = ranks.flatMap((rank) => [
  globalPooling("Max", rank),
  globalPooling("Average", rank),
]);
