import { z } from "zod";
import { defineLayer, only, type LayerKind } from "../layers/layer.ts";
import { plain } from "../layers/layout.ts";
import type { GraphBuilder } from "../onnx/builder.ts";
import type { Value } from "../onnx/graph.ts";
import { int64s, tensor } from "../onnx/tensor.ts";
import type { FeatureTransform } from "./feature-transform.ts";

const numbers = z.array(z.number());

const schema: z.ZodType<FeatureTransform> = z.strictObject({
  operations: z.array(
    z.discriminatedUnion("operator", [
      z.strictObject({ operator: z.literal("impute"), fill: z.array(z.number().nullable()) }),
      z.strictObject({ operator: z.literal("standardise"), mean: numbers, deviation: numbers }),
      z.strictObject({ operator: z.literal("scale"), scale: numbers, offset: numbers }),
    ]),
  ),
  outputs: z.array(
    z.strictObject({ lane: z.int().min(0), category: z.union([z.int().min(0), z.literal("unseen")]).nullable() }),
  ),
});

type Operation = FeatureTransform["operations"][number];

const row = (builder: GraphBuilder, values: readonly (number | null)[]): Value =>
  builder.constant(
    tensor(
      "float32",
      [values.length],
      values.map((value) => value ?? Number.NaN),
    ),
  );

const emitOperation = (builder: GraphBuilder, x: Value, operation: Operation): Value => {
  switch (operation.operator) {
    case "impute":
      return builder.apply("Where", [builder.apply("IsNaN", [x]), row(builder, operation.fill), x]);
    case "standardise":
      return builder.apply("Div", [
        builder.apply("Sub", [x, row(builder, operation.mean)]),
        row(builder, operation.deviation),
      ]);
    case "scale":
      return builder.apply("Add", [
        builder.apply("Mul", [x, row(builder, operation.scale)]),
        row(builder, operation.offset),
      ]);
  }
};

/** Repeats each one-hot lane once per category and compares; every other lane passes on. */
const emitOutputs = (builder: GraphBuilder, x: Value, outputs: FeatureTransform["outputs"]): Value => {
  if (outputs.every(({ category }) => category === null)) return x;
  const lanes = builder.constant(int64s(outputs.map(({ lane }) => lane)));
  const repeated = builder.apply("Gather", [x, lanes], { attributes: { axis: x.shape.length - 1 } });
  // NaN equals nothing: lanes that pass on, and categories that no training row had.
  const wanted = outputs.map(({ category }) => (typeof category === "number" ? category : null));
  const hit = builder.cast(builder.apply("Equal", [repeated, row(builder, wanted)]), "float32");
  if (outputs.every(({ category }) => category !== null)) return hit;
  const passing = builder.constant(
    tensor(
      "bool",
      [outputs.length],
      outputs.map(({ category }) => (category === null ? 1 : 0)),
    ),
  );
  return builder.apply("Where", [passing, repeated, hit]);
};

/**
 * Fitted preprocessing in front of a network, over the last axis of its raw input: fills NaN, scales, and turns
 * category indices into one value per category. Nothing of it is learnt. A table's shape [lanes] becomes [outputs].
 */
export const preprocessingLayer: LayerKind = defineLayer({
  layer: "Preprocessing",
  arguments: schema,
  outputShape: ({ outputs }, inputs, place) => [...only(inputs, place).slice(0, -1), outputs.length],
  emit: ({ operations, outputs }, inputs, { builder }) => {
    const { value, shape } = plain(builder, only(inputs));
    const filled = operations.reduce((x, operation) => emitOperation(builder, x, operation), value);
    return {
      value: emitOutputs(builder, filled, outputs),
      shape: [...shape.slice(0, -1), outputs.length],
      layout: "plain",
    };
  },
});
