import type { GraphBuilder } from "../onnx/builder.ts";
import type { Value } from "../onnx/graph.ts";
import type { LayerValue, SampleShape } from "./layer.ts";

const transposed = (builder: GraphBuilder, value: Value, order: readonly number[]): Value =>
  builder.apply("Transpose", [value], { attributes: { perm: order } });

/** Gives a value a new shape per sample, whatever the batch is. */
export const reshapeSamples = (builder: GraphBuilder, value: Value, shape: SampleShape): Value => {
  const [batch] = value.shape;
  const lengths = typeof batch === "number" ? [batch, ...shape] : [-1, ...shape];
  return builder.apply("Reshape", [value, builder.integers(lengths)]);
};

/** Brings an image to [batch, channels, height, width]. */
export const channelsFirst = (builder: GraphBuilder, input: LayerValue): Value => {
  if (input.layout === "channels-first") return input.value;
  const plain = plainValue(builder, input);
  const [height = 1, width = 1, channels = 1] = input.shape;
  // With one channel, or one pixel, both layouts are the same bytes.
  if (channels === 1 || height * width === 1) return reshapeSamples(builder, plain, [channels, height, width]);
  return transposed(builder, plain, [0, 3, 1, 2]);
};

/** Brings a value to its public layout. */
export const plainValue = (builder: GraphBuilder, input: LayerValue): Value => {
  if (input.layout === "plain") return input.value;
  const [height = 1, width = 1, channels = 1] = input.layout === "flattened" ? (input.image ?? []) : input.shape;
  if (channels === 1 || height * width === 1) return reshapeSamples(builder, input.value, input.shape);
  const image =
    input.layout === "flattened" ? reshapeSamples(builder, input.value, [channels, height, width]) : input.value;
  const last = transposed(builder, image, [0, 2, 3, 1]);
  return input.layout === "flattened" ? reshapeSamples(builder, last, input.shape) : last;
};

/** A value in its public layout, as a layer's result. */
export const plain = (builder: GraphBuilder, input: LayerValue): LayerValue => ({
  value: plainValue(builder, input),
  shape: input.shape,
  layout: "plain",
});
