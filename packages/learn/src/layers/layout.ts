import type { GraphBuilder } from "../onnx/builder.ts";
import type { Value } from "../onnx/graph.ts";
import { elementCount } from "../onnx/tensor.ts";
import type { LayerValue, SampleShape } from "./layer.ts";

const transposed = (builder: GraphBuilder, value: Value, order: readonly number[]): Value =>
  builder.apply("Transpose", [value], { attributes: { perm: order } });

/** Gives a value a new shape per sample, whatever the batch is. */
export const reshapeSamples = (builder: GraphBuilder, value: Value, shape: SampleShape): Value => {
  const [batch] = value.shape;
  const lengths = typeof batch === "number" ? [batch, ...shape] : [-1, ...shape];
  return builder.apply("Reshape", [value, builder.integers(lengths)]);
};

const axesOf = (shape: SampleShape): number[] => shape.slice(1).map((_, axis) => axis + 1);

/** With one channel, or one place, both layouts are the same bytes. */
const sameBytes = (shape: SampleShape): boolean => shape.at(-1) === 1 || elementCount(shape.slice(0, -1)) === 1;

/** Brings [batch, …spatial, channels] to [batch, channels, …spatial]. */
export const channelsFirst = (builder: GraphBuilder, input: LayerValue): Value => {
  if (input.layout === "channels-first") return input.value;
  const plain = plainValue(builder, input);
  const channels = input.shape.at(-1) ?? 1;
  if (sameBytes(input.shape)) return reshapeSamples(builder, plain, [channels, ...input.shape.slice(0, -1)]);
  return transposed(builder, plain, [0, input.shape.length, ...axesOf(input.shape)]);
};

/** Brings a value to its public layout. */
export const plainValue = (builder: GraphBuilder, input: LayerValue): Value => {
  if (input.layout === "plain") return input.value;
  const shape = input.layout === "flattened" ? (input.image ?? []) : input.shape;
  const channels = shape.at(-1) ?? 1;
  if (sameBytes(shape)) return reshapeSamples(builder, input.value, input.shape);
  const image =
    input.layout === "flattened"
      ? reshapeSamples(builder, input.value, [channels, ...shape.slice(0, -1)])
      : input.value;
  const last = transposed(builder, image, [0, ...axesOf(shape).map((axis) => axis + 1), 1]);
  return input.layout === "flattened" ? reshapeSamples(builder, last, input.shape) : last;
};

/** A value in its public layout, as a layer's result. */
export const plain = (builder: GraphBuilder, input: LayerValue): LayerValue => ({
  value: plainValue(builder, input),
  shape: input.shape,
  layout: "plain",
  ...(input.mask === undefined ? {} : { mask: input.mask }),
});

/** The axis of a value inside the graph that is the given axis of a sample. */
export const graphAxis = ({ layout, shape }: LayerValue, sampleAxis: number): number => {
  if (layout !== "channels-first") return sampleAxis + 1;
  return sampleAxis === shape.length - 1 ? 1 : sampleAxis + 2;
};
