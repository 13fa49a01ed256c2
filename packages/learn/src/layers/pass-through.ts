import { z } from "zod";
import { LearnError } from "../errors.ts";
import { lengthSchema } from "./arguments.ts";
import { defineLayer, only } from "./layer.ts";
import type { LayerKind } from "./layer.ts";

/** The border of a model used as a layer: hands a value on, and checks the shape that the model asks for. */
export const passThroughLayer: LayerKind = defineLayer({
  layer: "Model",
  arguments: z.strictObject({ shape: z.array(lengthSchema).optional() }),
  passesMask: true,
  outputShape: ({ shape: expected }, inputs, place) => {
    const shape = only(inputs, place);
    if (expected === undefined || expected.join() === shape.join()) return shape;
    throw new LearnError(
      "shape-mismatch",
      `The model's input "${place.name}" takes samples of shape [${expected.join(", ")}], but [${shape.join(", ")}] came.`,
    );
  },
  emit: (_, inputs) => only(inputs),
});
