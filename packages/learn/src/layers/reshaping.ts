import { z } from "zod";
import { LearnError } from "../errors.ts";
import { elementCount } from "../onnx/tensor.ts";
import { lengthSchema } from "./arguments.ts";
import { defineLayer, only } from "./layer.ts";
import type { LayerKind, LayerPlace, SampleShape } from "./layer.ts";
import { plainValue, reshapeSamples } from "./layout.ts";

/** All elements of a sample in one row, in the order of the public layout. */
export const flattenLayer: LayerKind = defineLayer({
  layer: "Flatten",
  arguments: z.strictObject({}),
  outputShape: (_, inputs, place) => [elementCount(only(inputs, place))],
  emit: (_, inputs, { builder }) => {
    const input = only(inputs);
    const shape = [elementCount(input.shape)];
    const value = reshapeSamples(builder, input.value, shape);
    // The channels stay in front; whoever reads the row next knows how to deal with it.
    if (input.layout === "channels-first") return { value, shape, layout: "flattened", image: input.shape };
    return { ...input, value, shape };
  },
});

const targetOf = (target: readonly number[], input: SampleShape, place?: LayerPlace): SampleShape => {
  const known = elementCount(target.filter((length) => length !== -1));
  const count = elementCount(input);
  const resolved = target.map((length) => (length === -1 ? count / known : length));
  if (elementCount(resolved) === count && resolved.every((length) => Number.isInteger(length))) return resolved;
  throw new LearnError(
    "shape-mismatch",
    `${place?.layer ?? "Reshape"} "${place?.name ?? ""}" cannot bring ${count} elements of shape [${input.join(", ")}] to [${target.join(", ")}]. Give a target with as many elements; one length may be -1.`,
  );
};

/** The same elements in another shape. */
export const reshapeLayer: LayerKind = defineLayer({
  layer: "Reshape",
  arguments: z.strictObject({
    targetShape: z
      .array(z.union([z.int().min(1), z.literal(-1)]))
      .refine((shape) => shape.filter((length) => length === -1).length <= 1, "only one length may be -1"),
  }),
  outputShape: ({ targetShape }, inputs, place) => targetOf(targetShape, only(inputs, place), place),
  emit: ({ targetShape }, inputs, { builder }) => {
    const input = only(inputs);
    const shape = targetOf(targetShape, input.shape);
    return { value: reshapeSamples(builder, plainValue(builder, input), shape), shape, layout: "plain" };
  },
});

/** The axes of a sample in another order; they are counted from 1, as in Keras. */
export const permuteLayer: LayerKind = defineLayer({
  layer: "Permute",
  arguments: z.strictObject({ dims: z.array(z.int().min(1)).min(1) }),
  outputShape: ({ dims }, inputs, place) => {
    const shape = only(inputs, place);
    const whole = dims.length === shape.length && shape.every((_, axis) => dims.includes(axis + 1));
    if (whole) return dims.map((axis) => shape[axis - 1] ?? 1);
    throw new LearnError(
      "layer-invalid",
      `Permute "${place.name}" has dims [${dims.join(", ")}], but its input of shape [${shape.join(", ")}] needs each of 1 to ${shape.length} once.`,
    );
  },
  emit: ({ dims }, inputs, { builder }) => {
    const input = only(inputs);
    const value = builder.apply("Transpose", [plainValue(builder, input)], { attributes: { perm: [0, ...dims] } });
    return { value, shape: dims.map((axis) => input.shape[axis - 1] ?? 1), layout: "plain" };
  },
});

/** A row repeated `n` times: [features] → [n, features]. */
export const repeatVectorLayer: LayerKind = defineLayer({
  layer: "RepeatVector",
  arguments: z.strictObject({ n: lengthSchema }),
  outputShape: ({ n }, inputs, place) => {
    const shape = only(inputs, place);
    if (shape.length === 1) return [n, ...shape];
    throw new LearnError(
      "shape-mismatch",
      `RepeatVector "${place.name}" expects a row [features], but its input has shape [${shape.join(", ")}]. Put a Flatten in front of it.`,
    );
  },
  emit: ({ n }, inputs, { builder }) => {
    const input = only(inputs);
    const row = builder.apply("Unsqueeze", [plainValue(builder, input), builder.integers([1])]);
    const value = builder.apply("Expand", [row, builder.integers([n, 1])]);
    return { value, shape: [n, ...input.shape], layout: "plain" };
  },
});
