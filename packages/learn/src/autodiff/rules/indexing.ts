import { integerAttribute, textAttribute } from "../../onnx/attributes.ts";
import type { GraphBuilder } from "../../onnx/builder.ts";
import type { Node, Value } from "../../onnx/graph.ts";
import { normaliseAxis, requireStatic } from "../../onnx/shape.ts";
import { elementCount } from "../../onnx/tensor.ts";
import { LearnError } from "../../errors.ts";
import { firstOf, type GradientInput, type GradientRule, inputOf, zerosLike } from "../rule.ts";

const reshape = (builder: GraphBuilder, value: Value, shape: readonly number[]): Value =>
  builder.apply("Reshape", [value, builder.integers(shape)]);

const staticShape = (value: Value): readonly number[] => requireStatic(value.shape, "The gradient of an indexing");

/** Adds `updates` to zeros of the shape of `data`, at indices along an axis; the shapes of both agree elsewhere. */
const scatterAdd = (
  builder: GraphBuilder,
  data: Value,
  part: { readonly indices: Value; readonly updates: Value; readonly axis: number },
): Value =>
  builder.apply("ScatterElements", [zerosLike(builder, data), part.indices, part.updates], {
    attributes: { axis: part.axis, reduction: "add" },
  });

/** Spreads a list of indices [n] over the shape of a value whose axis has the length n. */
const indicesAlong = (builder: GraphBuilder, list: Value, like: { shape: readonly number[]; axis: number }): Value => {
  const row = like.shape.map((length, axis) => (axis === like.axis ? length : 1));
  return builder.apply("Expand", [reshape(builder, list, row), builder.integers(like.shape)]);
};

const constantsOf = (input: GradientInput, index: number): readonly number[] | undefined => {
  const value = input.inputs[index];
  return value === undefined ? undefined : input.builder.constantNumbers(value.name);
};

/** Gather: each gradient is added at the place its value came from; one fixed index is a padding instead. */
const gather: GradientRule = (input) => {
  const { builder } = input;
  const { dy } = firstOf(input);
  const [data, indices] = [inputOf(input, 0), inputOf(input, 1)];
  const shape = staticShape(data);
  const axis = normaliseAxis(integerAttribute(input.node.attributes, "axis", 0), shape.length);
  const fixed = constantsOf(input, 1);
  const count = elementCount(staticShape(indices));
  const lengths = shape.with(axis, count);
  const updates = reshape(builder, dy, lengths);
  const [only] = fixed ?? [];
  if (only !== undefined && count === 1) {
    const at = only < 0 ? only + (shape[axis] ?? 1) : only;
    const before = shape.map((_, index) => (index === axis ? at : 0));
    const after = shape.map((length, index) => (index === axis ? length - at - 1 : 0));
    return [builder.apply("Pad", [updates, builder.integers([...before, ...after]), builder.scalarLike(dy, 0)])];
  }
  const list = indicesAlong(builder, reshape(builder, indices, [count]), { shape: lengths, axis });
  return [scatterAdd(builder, data, { indices: list, updates, axis })];
};

/** Rows of a matrix, or of what has more axes, each with what is to be added to it; a row can come several times. */
export interface ScatteredRows {
  /** Numbers of the rows, [count]. */
  readonly rows: Value;
  /** [count, …row]. */
  readonly values: Value;
}

/** The node that scattered a value over zeros along the first axis, adding up what meets. */
const rowScatter = (builder: GraphBuilder, value: Value): Node | undefined => {
  const scatter = builder.producer(value.name);
  if (scatter?.operator !== "ScatterElements" || value.shape.length < 2) return undefined;
  const { attributes, inputs } = scatter;
  const adds = textAttribute(attributes, "reduction", "none") === "add";
  const filled = builder.producer(inputs[0] ?? "");
  const zero = filled?.operator === "Expand" && builder.constantNumbers(filled.inputs[0] ?? "")?.[0] === 0;
  return adds && zero && integerAttribute(attributes, "axis", 0) === 0 ? scatter : undefined;
};

/**
 * Takes a gradient apart that {@link gather} scattered over zeros along the first axis, as an embedding's is: who adds
 * the rows up by himself spares writing all the zeros between them.
 * @returns undefined for any other value.
 */
export const scatteredRows = (builder: GraphBuilder, gradient: Value): ScatteredRows | undefined => {
  const scatter = rowScatter(builder, gradient);
  const spread = builder.producer(scatter?.inputs[1] ?? "");
  if (scatter === undefined || spread?.operator !== "Expand") return undefined;
  const list = builder.value(spread.inputs[0] ?? "");
  const [count = 1, ...others] = staticShape(list);
  if (others.some((length) => length !== 1)) return undefined;
  const rows = builder.cast(reshape(builder, list, [count]), "int32");
  return { rows, values: builder.value(scatter.inputs[2] ?? "") };
};

const gatherElements: GradientRule = (input) => {
  const data = inputOf(input, 0);
  const axis = normaliseAxis(integerAttribute(input.node.attributes, "axis", 0), data.shape.length);
  const { dy: updates } = firstOf(input);
  return [scatterAdd(input.builder, data, { indices: inputOf(input, 1), updates, axis })];
};

const topK: GradientRule = (input) => {
  const data = inputOf(input, 0);
  const axis = normaliseAxis(integerAttribute(input.node.attributes, "axis", -1), data.shape.length);
  const { dy: updates } = firstOf(input);
  const indices = input.outputs[1];
  if (indices === undefined) throw new RangeError("TopK gave no indices.");
  return [scatterAdd(input.builder, data, { indices, updates, axis })];
};

/** ScatterElements without a reduction or with `add`: the rest passes, the updates get theirs by the same indices. */
const scatterElements: GradientRule = (input) => {
  const { builder, wanted } = input;
  const { dy } = firstOf(input);
  const indices = inputOf(input, 1);
  const axis = integerAttribute(input.node.attributes, "axis", 0);
  const reduction = textAttribute(input.node.attributes, "reduction", "none");
  if (reduction !== "none" && reduction !== "add") {
    throw new LearnError(
      "operator-without-gradient",
      `The node "${input.node.name}" (ScatterElements) has the reduction "${reduction}", which has no gradient rule. Freeze what lies before it, or replace the node.`,
    );
  }
  const zeros = (): Value => builder.apply("Mul", [inputOf(input, 2), builder.scalarLike(dy, 0)]);
  const kept = (): Value =>
    reduction === "add" ? dy : builder.apply("ScatterElements", [dy, indices, zeros()], { attributes: { axis } });
  return [
    wanted[0] ? kept() : undefined,
    undefined,
    wanted[2] ? builder.apply("GatherElements", [dy, indices], { attributes: { axis } }) : undefined,
  ];
};

interface Stretch {
  readonly axis: number;
  readonly start: number;
  readonly step: number;
}

const stretches = (input: GradientInput, shape: readonly number[]): readonly Stretch[] => {
  const starts = constantsOf(input, 1) ?? [];
  const axes = constantsOf(input, 3) ?? starts.map((_, index) => index);
  const steps = constantsOf(input, 4) ?? starts.map(() => 1);
  return axes.map((raw, index) => {
    const axis = normaliseAxis(raw, shape.length);
    const length = shape[axis] ?? 1;
    const given = starts[index] ?? 0;
    const step = steps[index] ?? 1;
    const start = Math.min(Math.max(given < 0 ? given + length : given, 0), step < 0 ? length - 1 : length);
    return { axis, start, step };
  });
};

/** Slice: zeros around the gradient; steps other than 1 are spread along their axis first. */
const slice: GradientRule = (input) => {
  const { builder } = input;
  const x = inputOf(input, 0);
  const shape = staticShape(x);
  const parts = stretches(input, shape);
  let gradient = firstOf(input).dy;
  for (const { axis, start, step } of parts) {
    if (step === 1) continue;
    const lengths = staticShape(gradient);
    const places = Array.from({ length: lengths[axis] ?? 0 }, (_, index) => start + index * step);
    const indices = indicesAlong(builder, builder.integers(places), { shape: lengths, axis });
    const whole = { ...gradient, shape: lengths.with(axis, shape[axis] ?? 1) };
    gradient = scatterAdd(builder, whole, { indices, updates: gradient, axis });
  }
  const lengths = staticShape(gradient);
  const before = shape.map((_, axis) => parts.find((part) => part.axis === axis && part.step === 1)?.start ?? 0);
  const after = shape.map((length, axis) => length - (lengths[axis] ?? 0) - (before[axis] ?? 0));
  if ([...before, ...after].every((amount) => amount === 0)) return [gradient];
  return [builder.apply("Pad", [gradient, builder.integers([...before, ...after]), builder.scalarLike(gradient, 0)])];
};

/** Split: the gradients side by side again, zeros for the parts that the loss does not depend on. */
const split: GradientRule = (input) => {
  const { builder } = input;
  const axis = integerAttribute(input.node.attributes, "axis", 0);
  const parts = input.outputs.map((output, index) => input.upstream[index] ?? zerosLike(builder, output));
  return [builder.apply("Concat", parts, { attributes: { axis } })];
};

/** Pad with a constant: the gradient without what was added; a cut (a negative amount) gets zeros. */
const pad: GradientRule = (input) => {
  const { builder, node } = input;
  const { dy } = firstOf(input);
  const x = inputOf(input, 0);
  const shape = staticShape(x);
  if (textAttribute(node.attributes, "mode", "constant") !== "constant") {
    throw new LearnError(
      "operator-without-gradient",
      `The node "${node.name}" (Pad) repeats or mirrors its border, which has no gradient rule. Freeze what lies before it, or pad with a constant.`,
    );
  }
  const pads = constantsOf(input, 1) ?? [];
  const axes = (constantsOf(input, 3) ?? shape.map((_, axis) => axis)).map((axis) => normaliseAxis(axis, shape.length));
  const amounts = Array.from({ length: 2 * shape.length }, () => 0);
  for (const [index, axis] of axes.entries()) {
    amounts[axis] = -(pads[index] ?? 0);
    amounts[axis + shape.length] = -(pads[index + axes.length] ?? 0);
  }
  return [builder.apply("Pad", [dy, builder.integers(amounts), builder.scalarLike(dy, 0)])];
};

/** Tile: the sum over the copies. */
const tile: GradientRule = (input) => {
  const { builder } = input;
  const { dy } = firstOf(input);
  const shape = staticShape(inputOf(input, 0));
  const repeats = constantsOf(input, 1) ?? [];
  const apart = shape.flatMap((length, axis) => [repeats[axis] ?? 1, length]);
  const copies = shape.map((_, axis) => 2 * axis);
  const sum = builder.apply("ReduceSum", [reshape(builder, dy, apart), builder.integers(copies)], {
    attributes: { keepdims: 0 },
  });
  return [sum];
};

/** CumSum: the cumulative sum of the gradient from the other end. */
const cumSum: GradientRule = (input) => {
  const { attributes } = input.node;
  const reverse = integerAttribute(attributes, "reverse", 0) === 1 ? 0 : 1;
  return [
    input.builder.apply("CumSum", [firstOf(input).dy, inputOf(input, 1)], {
      attributes: { exclusive: integerAttribute(attributes, "exclusive", 0), reverse },
    }),
  ];
};

const trilu: GradientRule = (input) => [
  input.builder.apply("Trilu", [firstOf(input).dy, input.inputs[1]], { attributes: input.node.attributes }),
];

/** Gradients of operators that pick, spread and repeat elements. */
export const indexingRules: Readonly<Record<string, GradientRule>> = {
  Gather: gather,
  GatherElements: gatherElements,
  ScatterElements: scatterElements,
  TopK: topK,
  Slice: slice,
  Split: split,
  Pad: pad,
  Tile: tile,
  CumSum: cumSum,
  Trilu: trilu,
};
