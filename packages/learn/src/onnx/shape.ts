import { LearnError } from "../errors.ts";
import { formatShape, isStatic } from "./tensor.ts";
import type { Dimension } from "./tensor.ts";

/** Turns an axis that may count from the end into one that counts from the start. */
export const normaliseAxis = (axis: number, rank: number): number => {
  const normalised = axis < 0 ? axis + rank : axis;
  if (normalised < 0 || normalised >= rank) {
    throw new LearnError("shape-mismatch", `Axis ${axis} lies outside of a tensor with ${rank} dimensions.`);
  }
  return normalised;
};

const broadcastDimension = (one: Dimension, other: Dimension): Dimension | undefined => {
  if (one === other) return one;
  if (one === 1) return other;
  if (other === 1) return one;
  // An open length beside a known one can only be that one, because anything else fails when the graph runs.
  if (typeof one === "string") return other;
  if (typeof other === "string") return one;
  return undefined;
};

/** Shape of an elementwise result by NumPy's broadcasting rules. */
export const broadcastShapes = (one: readonly Dimension[], other: readonly Dimension[]): Dimension[] => {
  const rank = Math.max(one.length, other.length);
  return Array.from({ length: rank }, (_, index) => {
    const left = one[index - rank + one.length] ?? 1;
    const right = other[index - rank + other.length] ?? 1;
    const length = broadcastDimension(left, right);
    if (length === undefined) {
      throw new LearnError("shape-mismatch", `Shapes ${formatShape(one)} and ${formatShape(other)} do not broadcast.`);
    }
    return length;
  });
};

/** Returns the shape when all its lengths are known, and says what is open otherwise. */
export const requireStatic = (shape: readonly Dimension[], what: string): readonly number[] => {
  if (isStatic(shape)) return shape;
  throw new LearnError("shape-mismatch", `${what} needs known lengths, but its shape is ${formatShape(shape)}.`);
};
