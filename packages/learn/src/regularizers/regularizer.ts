import { z } from "zod";
import type { GraphBuilder } from "../onnx/builder.ts";
import type { Value } from "../onnx/graph.ts";
import { LearnError } from "../errors.ts";

/** A regularizer with its arguments, as in Keras. */
export type RegularizerConfig =
  /** l1 · Σ|x|; 0.01 by default. */
  | { readonly name: "l1"; readonly l1?: number | undefined }
  /** l2 · Σx²; 0.01 by default. */
  | { readonly name: "l2"; readonly l2?: number | undefined }
  /** Both; 0 by default. */
  | { readonly name: "l1_l2"; readonly l1?: number | undefined; readonly l2?: number | undefined }
  /** Pulls the rows, or the columns, of a matrix apart: factor · Σ|cosines of all pairs| / pairs; 0.01 by default. */
  | {
      readonly name: "orthogonal";
      readonly factor?: number | undefined;
      readonly mode?: "rows" | "columns" | undefined;
    };

/** A regularizer by name with Keras' default strength, or with its arguments. */
export type Regularizer = "l1" | "l2" | "orthogonal" | RegularizerConfig;

const strength = z.number().min(0).optional();

/** Accepts {@link Regularizer}. */
export const regularizerSchema: z.ZodType<Regularizer> = z.union([
  z.enum(["l1", "l2", "orthogonal"]),
  z.discriminatedUnion("name", [
    z.strictObject({ name: z.literal("l1"), l1: strength }),
    z.strictObject({ name: z.literal("l2"), l2: strength }),
    z.strictObject({ name: z.literal("l1_l2"), l1: strength, l2: strength }),
    z.strictObject({
      name: z.literal("orthogonal"),
      factor: strength,
      mode: z.enum(["rows", "columns"]).optional(),
    }),
  ]),
]);

const defaultStrength = 0.01;

const total = (builder: GraphBuilder, value: Value): Value => {
  const axes = builder.integers(value.shape.map((_, axis) => axis));
  return builder.apply("ReduceSum", [value, axes], { attributes: { keepdims: 0 } });
};

const times = (builder: GraphBuilder, value: Value, factor: number): Value =>
  builder.apply("Mul", [value, builder.scalarLike(value, factor)]);

const elementwise = (builder: GraphBuilder, x: Value, factors: { l1: number; l2: number }): Value => {
  const terms = [
    ...(factors.l1 === 0 ? [] : [times(builder, total(builder, builder.apply("Abs", [x])), factors.l1)]),
    ...(factors.l2 === 0 ? [] : [times(builder, total(builder, builder.apply("Mul", [x, x])), factors.l2)]),
  ];
  const [first, second] = terms;
  if (first === undefined) return builder.scalarLike(x, 0);
  return second === undefined ? first : builder.apply("Add", [first, second]);
};

const orthogonal = (builder: GraphBuilder, x: Value, options: { factor: number; rows: boolean }): Value => {
  const [rows, columns] = x.shape;
  if (x.shape.length !== 2 || typeof rows !== "number" || typeof columns !== "number") {
    throw new LearnError(
      "layer-invalid",
      `The orthogonal regularizer takes matrices, but this weight has ${x.shape.length} dimensions. Use l1 or l2 there.`,
    );
  }
  const axis = options.rows ? 1 : 0;
  const squares = builder.apply("ReduceSum", [builder.apply("Mul", [x, x]), builder.integers([axis])]);
  const norms = builder.apply("Sqrt", [builder.apply("Max", [squares, builder.scalarLike(squares, 1e-12)])]);
  const unit = builder.apply("Div", [x, norms]);
  const turned = builder.apply("Transpose", [unit], { attributes: { perm: [1, 0] } });
  const cosines = builder.apply("MatMul", options.rows ? [unit, turned] : [turned, unit]);
  const size = options.rows ? rows : columns;
  const others = Float32Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 0 : 1));
  const apart = builder.apply("Mul", [
    cosines,
    builder.constant({ dtype: "float32", shape: [size, size], values: others }),
  ]);
  // Half of the sum over both triangles, divided by the number of pairs.
  const pairs = Math.max((size * (size - 1)) / 2, 1);
  return times(builder, total(builder, builder.apply("Abs", [apart])), (0.5 * options.factor) / pairs);
};

/**
 * Adds a penalty to a graph: a scalar that joins the loss.
 * @param x A weight, or a layer's result; the penalty is a sum over all its elements, the batch too.
 * Source: keras/src/regularizers/regularizers.py.
 */
export const emitRegularizer = (builder: GraphBuilder, x: Value, regularizer: Regularizer): Value => {
  const config: RegularizerConfig = typeof regularizer === "string" ? { name: regularizer } : regularizer;
  switch (config.name) {
    case "l1":
      return elementwise(builder, x, { l1: config.l1 ?? defaultStrength, l2: 0 });
    case "l2":
      return elementwise(builder, x, { l1: 0, l2: config.l2 ?? defaultStrength });
    case "l1_l2":
      return elementwise(builder, x, { l1: config.l1 ?? 0, l2: config.l2 ?? 0 });
    case "orthogonal":
      return orthogonal(builder, x, { factor: config.factor ?? defaultStrength, rows: config.mode !== "columns" });
  }
};
