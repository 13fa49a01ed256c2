import { z } from "zod";
import { LearnError } from "../errors.ts";
import { defineLayer } from "./layer.ts";
import type { LayerKind, LayerPlace, LayerValue, SampleShape } from "./layer.ts";
import { plain } from "./layout.ts";
import type { GraphBuilder } from "../onnx/builder.ts";

const several = (inputs: readonly SampleShape[], place: LayerPlace): SampleShape => {
  const [first] = inputs;
  if (first !== undefined && inputs.length >= 2) return first;
  throw new LearnError(
    "layer-invalid",
    `${place.layer} "${place.name}" joins at least two inputs, but ${inputs.length} came.`,
  );
};

const cannotJoin = (place: LayerPlace, inputs: readonly SampleShape[], wanted: string): LearnError =>
  new LearnError(
    "shape-mismatch",
    `${place.layer} "${place.name}" expects inputs of ${wanted}, but they have shapes ${inputs.map((shape) => `[${shape.join(", ")}]`).join(" and ")}.`,
  );

/** Brings all inputs to one layout: the one they share, or the public one. */
const aligned = (builder: GraphBuilder, inputs: readonly LayerValue[]): readonly LayerValue[] =>
  inputs.every(({ layout }) => layout === "channels-first") ? inputs : inputs.map((input) => plain(builder, input));

/** The sum of inputs of one shape. */
export const addLayer: LayerKind = defineLayer({
  layer: "Add",
  arguments: z.strictObject({}),
  outputShape: (_, inputs, place) => {
    const first = several(inputs, place);
    if (inputs.some((shape) => shape.join() !== first.join())) throw cannotJoin(place, inputs, "one shape");
    return first;
  },
  emit: (_, inputs, { builder }) =>
    aligned(builder, inputs).reduce(({ value, shape, layout }, input) => ({
      value: builder.apply("Add", [value, input.value]),
      shape,
      layout,
    })),
});

const axisOf = (axis: number, shape: SampleShape): number => (axis < 0 ? axis + shape.length : axis - 1);

/** Inputs side by side along an axis; the axis counts the batch as 0, as in Keras. */
export const concatenateLayer: LayerKind = defineLayer({
  layer: "Concatenate",
  arguments: z.strictObject({ axis: z.int().default(-1) }),
  outputShape: ({ axis }, inputs, place) => {
    const first = several(inputs, place);
    const along = axisOf(axis, first);
    if (axis === 0 || along < 0 || along >= first.length) {
      throw new LearnError(
        "layer-invalid",
        `Concatenate "${place.name}" has axis ${axis}, which is not an axis of [${first.join(", ")}]; 1 is the first after the batch.`,
      );
    }
    const rest = (shape: SampleShape): string => shape.toSpliced(along, 1).join();
    const fit = inputs.every((shape) => shape.length === first.length && rest(shape) === rest(first));
    if (!fit) throw cannotJoin(place, inputs, `equal shapes but for axis ${axis}`);
    return first.with(
      along,
      inputs.reduce((sum, shape) => sum + (shape[along] ?? 0), 0),
    );
  },
  emit: ({ axis }, inputs, { builder }) => {
    const values = aligned(builder, inputs);
    const [first] = values;
    if (first === undefined) throw new LearnError("layer-invalid", "Concatenate has no inputs.");
    const along = axisOf(axis, first.shape);
    const graphAxis = first.layout === "channels-first" ? ((along + 1) % 3) + 1 : along + 1;
    const value = builder.apply(
      "Concat",
      values.map((input) => input.value),
      { attributes: { axis: graphAxis } },
    );
    const length = values.reduce((sum, { shape }) => sum + (shape[along] ?? 0), 0);
    return { ...first, value, shape: first.shape.with(along, length) };
  },
});
