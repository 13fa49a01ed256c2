import type { GraphBuilder } from "../onnx/builder.ts";
import type { Value } from "../onnx/graph.ts";

/** Product of two values, element by element. */
export const mul = (builder: GraphBuilder, x: Value, y: Value): Value => builder.apply("Mul", [x, y]);
/** Sum of two values, element by element. */
export const add = (builder: GraphBuilder, x: Value, y: Value): Value => builder.apply("Add", [x, y]);
/** Difference of two values, element by element. */
export const sub = (builder: GraphBuilder, x: Value, y: Value): Value => builder.apply("Sub", [x, y]);
/** 1 − x. */
export const oneMinus = (builder: GraphBuilder, x: Value): Value => sub(builder, builder.scalarLike(x, 1), x);
/** The slope of the logistic function by its value: y · (1 − y). */
export const sigmoidSlope = (builder: GraphBuilder, y: Value): Value => mul(builder, y, oneMinus(builder, y));
/** The slope of tanh by its value: 1 − y². */
export const tanhSlope = (builder: GraphBuilder, y: Value): Value => oneMinus(builder, mul(builder, y, y));
/** x · factor. */
export const times = (builder: GraphBuilder, x: Value, factor: number): Value =>
  mul(builder, x, builder.scalarLike(x, factor));

/** Cuts an axis into equal parts. */
export const parts = (
  builder: GraphBuilder,
  x: Value,
  cut: { readonly axis: number; readonly count: number },
): readonly Value[] =>
  cut.count === 1
    ? [x]
    : builder.applyMany("Split", [x], {
        attributes: { axis: cut.axis, num_outputs: cut.count },
        outputCount: cut.count,
      });

/** Puts values behind one another along an axis. */
export const joined = (builder: GraphBuilder, values: readonly Value[], axis: number): Value => {
  const [first] = values;
  return first !== undefined && values.length === 1 ? first : builder.apply("Concat", values, { attributes: { axis } });
};

/** [steps · batch, width] as [steps, batch, width]. */
export const asSteps = (builder: GraphBuilder, rows: Value, steps: number): Value =>
  builder.apply("Reshape", [rows, builder.integers([steps, -1, Number(rows.shape.at(-1))])]);

/** [steps, batch, width] as [steps · batch, width]. */
export const asRows = (builder: GraphBuilder, x: Value): Value =>
  builder.apply("Reshape", [x, builder.integers([-1, Number(x.shape.at(-1))])]);

/** x · w, with the transposition and the addition that Gemm has within itself. */
export const product = (
  builder: GraphBuilder,
  [x, w]: readonly [Value, Value],
  options: { readonly transposed?: "x" | "w"; readonly plus?: Value | undefined } = {},
): Value =>
  builder.apply("Gemm", options.plus === undefined ? [x, w] : [x, w, options.plus], {
    attributes: { transA: options.transposed === "x" ? 1 : 0, transB: options.transposed === "w" ? 1 : 0 },
  });

/** Values of the step before, one row a step and sample: the first ones are given, or zeros. */
export const shifted = (
  builder: GraphBuilder,
  rows: Value,
  options: { readonly steps: number; readonly first: Value | undefined },
): Value => {
  const cut = parts(builder, rows, { axis: 0, count: options.steps });
  const [one = rows] = cut;
  const first = options.first ?? times(builder, one, 0);
  return joined(builder, [first, ...cut.slice(0, -1)], 0);
};
