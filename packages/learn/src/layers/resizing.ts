import { z } from "zod";
import type { GraphBuilder } from "../onnx/builder.ts";
import type { Value } from "../onnx/graph.ts";
import { tensor } from "../onnx/tensor.ts";
import { lengthSchema } from "./arguments.ts";
import { defineLayer, only, spatialShape } from "./layer.ts";
import type { LayerKind, LayerValue } from "./layer.ts";
import { channelsFirst } from "./layout.ts";

/** How values between pixels are found. */
export type Interpolation = "nearest" | "bilinear";

/** Accepts {@link Interpolation}. */
export const interpolationSchema: z.ZodType<Interpolation> = z.enum(["nearest", "bilinear"]);

/**
 * The weights [to, from] with which an axis is resized; pixels are taken at their centres, and repeated beyond the border.
 * Source: tensorflow/core/kernels/image/resize_bilinear_op.cc, `half_pixel_centers`.
 */
const weightsOf = (from: number, to: number, interpolation: Interpolation): Float32Array => {
  const weights = new Float32Array(from * to);
  const put = (row: number, column: number, weight: number): void => {
    const at = row * from + Math.min(Math.max(column, 0), from - 1);
    weights[at] = (weights[at] as number) + weight;
  };
  for (let row = 0; row < to; row++) {
    const centre = ((row + 0.5) * from) / to;
    if (interpolation === "nearest") {
      put(row, Math.floor(centre), 1);
    } else {
      const low = Math.floor(centre - 0.5);
      put(row, low, 1 - (centre - 0.5 - low));
      put(row, low + 1, centre - 0.5 - low);
    }
  }
  return weights;
};

/** Resizes height and width of an image by a product with the axes' weights, which is also how it is differentiated. */
export const resized = (
  builder: GraphBuilder,
  input: LayerValue,
  target: { readonly height: number; readonly width: number; readonly interpolation: Interpolation },
): LayerValue => {
  const [height = 1, width = 1, channels = 1] = input.shape;
  const matrix = (from: number, to: number): Value =>
    builder.constant(tensor("float32", [to, from], weightsOf(from, to, target.interpolation)));
  const rows = builder.apply("MatMul", [matrix(height, target.height), channelsFirst(builder, input)]);
  const turned = builder.apply("Transpose", [matrix(width, target.width)], { attributes: { perm: [1, 0] } });
  const value = builder.apply("MatMul", [rows, turned]);
  return { value, shape: [target.height, target.width, channels], layout: "channels-first" };
};

/** Images of another height and width. Source: keras/src/layers/preprocessing/image_preprocessing/resizing.py. */
export const resizingLayer: LayerKind = defineLayer({
  layer: "Resizing",
  arguments: z.strictObject({
    height: lengthSchema,
    width: lengthSchema,
    interpolation: interpolationSchema.default("bilinear"),
  }),
  outputShape: ({ height, width }, inputs, place) => [height, width, spatialShape(inputs, 2, place)[2] ?? 1],
  emit: (args, inputs, { builder }) => resized(builder, only(inputs), args),
});
