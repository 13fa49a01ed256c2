import { z } from "zod";
import { LearnError } from "../errors.ts";
import { tensor } from "../onnx/tensor.ts";
import { defineLayer, only } from "./layer.ts";
import type { LayerKind } from "./layer.ts";
import { channelsFirst, plain } from "./layout.ts";

/** The input as it is. */
export const identityLayer: LayerKind = defineLayer({
  layer: "Identity",
  arguments: z.strictObject({}),
  passesMask: true,
  outputShape: (_, inputs, place) => only(inputs, place),
  emit: (_, inputs) => only(inputs),
});

/** x · scale + offset, for example 1/255 for bytes. */
export const rescalingLayer: LayerKind = defineLayer({
  layer: "Rescaling",
  arguments: z.strictObject({ scale: z.number(), offset: z.number().default(0) }),
  outputShape: (_, inputs, place) => only(inputs, place),
  emit: ({ scale, offset }, inputs, { builder }) => {
    const given = only(inputs);
    // ONNX Runtime broadcasts a scalar ten times slower over a last axis of length 1; channels first has none here.
    const gray = given.layout === "plain" && given.shape.length === 3 && given.shape[2] === 1;
    const value = gray ? channelsFirst(builder, given) : given.value;
    const layout = gray ? "channels-first" : given.layout;
    const scaled = builder.apply("Mul", [value, builder.scalarLike(value, scale)]);
    if (offset === 0) return { ...given, layout, value: scaled };
    return { ...given, layout, value: builder.apply("Add", [scaled, builder.scalarLike(scaled, offset)]) };
  },
});

/** (x − mean) / √variance over the last axis, with fixed statistics; a variance of 0 counts as 1e-7². */
export const normalizationLayer: LayerKind = defineLayer({
  layer: "Normalization",
  arguments: z.strictObject({
    mean: z.array(z.number()).min(1),
    variance: z.array(z.number().min(0)).min(1),
    invert: z.boolean().default(false),
  }),
  outputShape: ({ mean, variance }, inputs, place) => {
    const shape = only(inputs, place);
    const length = shape.at(-1) ?? 1;
    const wrong = [mean, variance].find((list) => list.length !== 1 && list.length !== length);
    if (wrong === undefined) return shape;
    throw new LearnError(
      "shape-mismatch",
      `Normalization "${place.name}" has ${wrong.length} statistics, but its input of shape [${shape.join(", ")}] needs one, or ${length}.`,
    );
  },
  emit: ({ mean, variance, invert }, inputs, { builder }) => {
    const input = plain(builder, only(inputs));
    const row = (values: readonly number[]) => builder.constant(tensor("float32", [values.length], values));
    const deviation = row(variance.map((value) => Math.max(Math.sqrt(value), 1e-7)));
    if (invert) {
      const spread = builder.apply("Mul", [input.value, deviation]);
      return { ...input, value: builder.apply("Add", [spread, row(mean)]) };
    }
    const centred = builder.apply("Sub", [input.value, row(mean)]);
    return { ...input, value: builder.apply("Div", [centred, deviation]) };
  },
});
