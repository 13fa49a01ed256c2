import { integerAttribute, integersAttribute } from "../attributes.ts";
import { broadcastShapes, normaliseAxis } from "../shape.ts";
import { elementCount, formatShape, isStatic } from "../tensor.ts";
import type { Dimension } from "../tensor.ts";
import { constantAt, dimensionsAt, inputAt } from "./rule.ts";
import type { InferenceRule } from "./rule.ts";
import { LearnError } from "../../errors.ts";

const product = (lengths: readonly Dimension[]): Dimension =>
  isStatic(lengths) ? elementCount(lengths) : lengths.filter((length) => length !== 1).join("*");

const openLength = (shape: readonly Dimension[], known: readonly Dimension[]): Dimension => {
  // Lengths that stand on both sides cancel, so that an open batch length survives a reshape.
  const rest = [...shape];
  const divisor: Dimension[] = [];
  for (const length of known) {
    const index = rest.indexOf(length);
    if (index < 0) divisor.push(length);
    else rest.splice(index, 1);
  }
  const [open, lengths] = [
    rest.filter((length) => typeof length === "string"),
    rest.filter((length) => typeof length === "number"),
  ];
  const factor = elementCount(lengths) / elementCount(divisor.filter((length) => typeof length === "number"));
  if (open.length === 0) return factor;
  // A length that was multiplied before, such as "N*5", is divided again.
  const [, base, times] = /^(.*?)(?:\*(\d+))?$/.exec(open.join("*")) ?? [];
  const whole = Number(times ?? 1) * factor;
  return whole === 1 ? (base ?? "") : `${base ?? ""}*${whole}`;
};

const reshape: InferenceRule = (node) => {
  const { dtype, shape } = inputAt(node, 0);
  const target = dimensionsAt(node, 1) ?? [];
  const lengths = target.map((length, axis): Dimension => (length === 0 ? (shape[axis] ?? 0) : length));
  const open = lengths.indexOf(-1);
  const resolved = open < 0 ? lengths : lengths.with(open, openLength(shape, lengths.toSpliced(open, 1)));
  if (isStatic(shape) && isStatic(resolved)) {
    const [from, to] = [elementCount(shape), elementCount(resolved)];
    if (from !== to || resolved.some((length) => !Number.isInteger(length))) {
      throw new LearnError("shape-mismatch", `${formatShape(shape)} does not reshape to ${formatShape(target)}.`);
    }
  }
  return [{ dtype, shape: resolved }];
};

const flatten: InferenceRule = (node) => {
  const { dtype, shape } = inputAt(node, 0);
  const axis = integerAttribute(node.attributes, "axis", 1);
  const split = axis < 0 ? axis + shape.length : axis;
  return [{ dtype, shape: [product(shape.slice(0, split)), product(shape.slice(split))] }];
};

const transpose: InferenceRule = (node) => {
  const { dtype, shape } = inputAt(node, 0);
  const order = integersAttribute(node.attributes, "perm") ?? shape.map((_, axis) => shape.length - 1 - axis);
  return [{ dtype, shape: order.map((axis) => shape[axis] ?? 1) }];
};

const concat: InferenceRule = (node) => {
  const types = node.inputs.map((_, index) => inputAt(node, index));
  const first = inputAt(node, 0);
  const axis = normaliseAxis(integerAttribute(node.attributes, "axis", 0), first.shape.length);
  for (const { shape } of types) {
    if (shape.length === first.shape.length && shape.every((length, i) => i === axis || length === first.shape[i]))
      continue;
    throw new LearnError(
      "shape-mismatch",
      `Concat over axis ${axis} cannot join ${formatShape(first.shape)} and ${formatShape(shape)}.`,
    );
  }
  const lengths = types.map(({ shape }) => shape[axis] ?? 1);
  const known: readonly number[] | undefined = isStatic(lengths) ? lengths : undefined;
  const length = known === undefined ? lengths.join("+") : known.reduce((sum, one) => sum + one, 0);
  return [{ dtype: first.dtype, shape: first.shape.with(axis, length) }];
};

const sliceLength = (length: number, [start, end, step]: readonly [number, number, number]): number => {
  const clamp = (index: number, low: number, high: number): number =>
    Math.min(Math.max(index < 0 ? index + length : index, low), high);
  const [from, to] =
    step > 0
      ? [clamp(start, 0, length), clamp(end, 0, length)]
      : [clamp(start, 0, length - 1), clamp(end, -1, length - 1)];
  return Math.max(Math.ceil((to - from) / step), 0);
};

/** An end so far away that the whole axis is meant. */
const isFar = (end: number): boolean => Math.abs(end) >= 2 ** 31 - 1;

/** Length of one axis behind a slice; over an open length only the whole axis or a number of first elements is known. */
const slicedLength = (length: Dimension, [start, end, step]: readonly [number, Dimension, number]): Dimension => {
  if (typeof end === "string") {
    // An open end is that of another axis, which is not longer.
    if (start === 0 && step === 1) return end;
  } else if (typeof length === "number") {
    return sliceLength(length, [start, end, step]);
  } else if (isFar(end) && ((start === 0 && step === 1) || (start === -1 && step === -1))) {
    return length;
  }
  throw new LearnError("shape-mismatch", `Slice from ${start} to ${end} of an open length is not supported.`);
};

const slice: InferenceRule = (node) => {
  const { dtype, shape } = inputAt(node, 0);
  const [starts, ends] = [constantAt(node, 1) ?? [], dimensionsAt(node, 2) ?? []];
  const axes = constantAt(node, 3) ?? starts.map((_, index) => index);
  const steps = constantAt(node, 4) ?? starts.map(() => 1);
  const lengths = [...shape];
  for (const [index, raw] of axes.entries()) {
    const axis = normaliseAxis(raw, shape.length);
    const length = shape[axis] ?? 1;
    lengths[axis] = slicedLength(length, [starts[index] ?? 0, ends[index] ?? length, steps[index] ?? 1]);
  }
  return [{ dtype, shape: lengths }];
};

const pad: InferenceRule = (node) => {
  const { dtype, shape } = inputAt(node, 0);
  const pads = constantAt(node, 1) ?? [];
  const padded = shape.map((length, axis) => {
    const added = (pads[axis] ?? 0) + (pads[axis + shape.length] ?? 0);
    return typeof length === "number" ? length + added : added === 0 ? length : `${length}+${added}`;
  });
  return [{ dtype, shape: padded }];
};

const squeeze: InferenceRule = (node) => {
  const { dtype, shape } = inputAt(node, 0);
  const axes = integersAttribute(node.attributes, "axes") ?? constantAt(node, 1);
  const gone = new Set(axes?.map((axis) => normaliseAxis(axis, shape.length)));
  return [{ dtype, shape: shape.filter((length, axis) => (axes === undefined ? length !== 1 : !gone.has(axis))) }];
};

const unsqueeze: InferenceRule = (node) => {
  const { dtype, shape } = inputAt(node, 0);
  const axes = integersAttribute(node.attributes, "axes") ?? constantAt(node, 1) ?? [];
  const rank = shape.length + axes.length;
  const added = new Set(axes.map((axis) => normaliseAxis(axis, rank)));
  const rest = [...shape];
  return [{ dtype, shape: Array.from({ length: rank }, (_, axis) => (added.has(axis) ? 1 : (rest.shift() ?? 1))) }];
};

const expand: InferenceRule = (node) => {
  const { dtype, shape } = inputAt(node, 0);
  return [{ dtype, shape: broadcastShapes(shape, dimensionsAt(node, 1) ?? []) }];
};

/** Operators that move elements without computing on them. */
export const layoutInference: Readonly<Record<string, InferenceRule>> = {
  Reshape: reshape,
  Flatten: flatten,
  Transpose: transpose,
  Concat: concat,
  Slice: slice,
  Pad: pad,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Expand: expand,
};
