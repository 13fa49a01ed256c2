import { z } from "zod";
import { LearnError } from "../errors.ts";
import { elementCount } from "../onnx/tensor.ts";
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
