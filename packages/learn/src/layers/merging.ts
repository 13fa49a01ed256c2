import { z } from "zod";
import { LearnError } from "../errors.ts";
import type { GraphBuilder } from "../onnx/builder.ts";
import type { Value } from "../onnx/graph.ts";
import { broadcastShapes } from "../onnx/shape.ts";
import { defineLayer, sampleAxis } from "./layer.ts";
import type { LayerKind, LayerPlace, LayerValue, SampleShape } from "./layer.ts";
import { graphAxis, plain } from "./layout.ts";

const several = (inputs: readonly SampleShape[], place: LayerPlace): SampleShape => {
  const [first] = inputs;
  if (first !== undefined && inputs.length >= 2) return first;
  throw new LearnError(
    "layer-invalid",
    `${place.layer} "${place.name}" joins at least two inputs, but ${inputs.length} came.`,
  );
};

/** The error for inputs of shapes that a layer cannot join. */
export const cannotJoin = (place: LayerPlace, inputs: readonly SampleShape[], wanted: string): LearnError =>
  new LearnError(
    "shape-mismatch",
    `${place.layer} "${place.name}" expects inputs of ${wanted}, but they have shapes ${inputs.map((shape) => `[${shape.join(", ")}]`).join(" and ")}.`,
  );

/** Brings all inputs to one layout: the one they share, or the public one. */
const aligned = (builder: GraphBuilder, inputs: readonly LayerValue[]): readonly LayerValue[] =>
  inputs.every(({ layout, shape }) => layout === "channels-first" && shape.length === inputs[0]?.shape.length)
    ? inputs
    : inputs.map((input) => plain(builder, input));

/** A step counts where it counts in every input that has a mask. */
const joinedMask = (builder: GraphBuilder, inputs: readonly LayerValue[]): { readonly mask?: Value } => {
  const masks = inputs.flatMap(({ mask }) => (mask === undefined ? [] : [mask]));
  const [first, ...rest] = masks;
  if (first === undefined) return {};
  return { mask: rest.reduce((joined, mask) => builder.apply("And", [joined, mask]), first) };
};

const joinedShape = (inputs: readonly SampleShape[], place: LayerPlace): SampleShape => {
  const first = several(inputs, place);
  if (inputs.every((shape) => shape.join() === first.join())) return first;
  const fit = inputs.every(
    (shape) =>
      shape.length === first.length &&
      shape.every((length, axis) => length === first[axis] || length === 1 || first[axis] === 1),
  );
  if (!fit) throw cannotJoin(place, inputs, "one shape, or lengths of 1 that broadcast");
  return inputs.reduce<SampleShape>((sum, shape) => broadcastShapes(sum, shape).map(Number), first);
};

/** Makes a layer that joins its inputs element by element. */
const elementwise = (
  layer: string,
  join: (builder: GraphBuilder, values: readonly Value[]) => Value,
  inputCount?: number,
): LayerKind =>
  defineLayer({
    layer,
    arguments: z.strictObject({}),
    outputShape: (_, inputs, place) => {
      if (inputCount !== undefined && inputs.length !== inputCount) {
        throw new LearnError(
          "layer-invalid",
          `${place.layer} "${place.name}" takes exactly ${inputCount} inputs, but ${inputs.length} came.`,
        );
      }
      return joinedShape(inputs, place);
    },
    emit: (_, inputs, { builder }) => {
      const values = aligned(builder, inputs);
      const shape = joinedShape(
        values.map((value) => value.shape),
        { layer, name: "" },
      );
      const value = join(
        builder,
        values.map((input) => input.value),
      );
      return { value, shape, layout: values[0]?.layout ?? "plain", ...joinedMask(builder, inputs) };
    },
  });

const folded =
  (operator: string) =>
  (builder: GraphBuilder, values: readonly Value[]): Value =>
    values.reduce((joined, value) => builder.apply(operator, [joined, value]));

const average = (builder: GraphBuilder, values: readonly Value[]): Value => {
  const sum = folded("Add")(builder, values);
  return builder.apply("Mul", [sum, builder.scalarLike(sum, 1 / values.length)]);
};

/** Layers that join inputs element by element, lengths of 1 broadcast. */
export const elementwiseMergingLayers: readonly LayerKind[] = [
  elementwise("Add", folded("Add")),
  elementwise("Subtract", folded("Sub"), 2),
  elementwise("Multiply", folded("Mul")),
  elementwise("Average", average),
  elementwise("Maximum", folded("Max")),
  elementwise("Minimum", folded("Min")),
];

/** Inputs side by side along an axis; the axis counts the batch as 0, as in Keras. */
export const concatenateLayer: LayerKind = defineLayer({
  layer: "Concatenate",
  arguments: z.strictObject({ axis: z.int().default(-1) }),
  outputShape: ({ axis }, inputs, place) => {
    const first = several(inputs, place);
    const along = sampleAxis(axis, first, place);
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
    const along = axis < 0 ? axis + first.shape.length : axis - 1;
    const value = builder.apply(
      "Concat",
      values.map((input) => input.value),
      { attributes: { axis: graphAxis(first, along) } },
    );
    const length = values.reduce((sum, { shape }) => sum + (shape[along] ?? 0), 0);
    const { mask: _mask, ...result } = first;
    // Steps that are put behind one another would need their masks put together; the mask ends there.
    const mask = along === first.shape.length - 1 ? joinedMask(builder, inputs) : {};
    return { ...result, ...mask, value, shape: first.shape.with(along, length) };
  },
});
