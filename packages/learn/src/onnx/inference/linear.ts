import { integerAttribute } from "../attributes.ts";
import { broadcastShapes } from "../shape.ts";
import { formatShape } from "../tensor.ts";
import type { Dimension } from "../tensor.ts";
import { inputAt } from "./rule.ts";
import type { InferenceRule } from "./rule.ts";
import { LearnError } from "../../errors.ts";

const checkInner = (operator: string, one: readonly Dimension[], other: readonly Dimension[]): void => {
  const [left, right] = [one.at(-1), other.at(-2)];
  if (typeof left === "number" && typeof right === "number" && left !== right) {
    throw new LearnError(
      "shape-mismatch",
      `${operator} cannot multiply ${formatShape(one)} with ${formatShape(other)}: ${left} is not ${right}.`,
    );
  }
};

const matMul: InferenceRule = (node) => {
  const [a, b] = [inputAt(node, 0), inputAt(node, 1)];
  const left = a.shape.length === 1 ? [1, ...a.shape] : a.shape;
  const right = b.shape.length === 1 ? [...b.shape, 1] : b.shape;
  checkInner("MatMul", left, right);
  const batch = broadcastShapes(left.slice(0, -2), right.slice(0, -2));
  const rows = a.shape.length === 1 ? [] : left.slice(-2, -1);
  const columns = b.shape.length === 1 ? [] : right.slice(-1);
  return [{ dtype: a.dtype, shape: [...batch, ...rows, ...columns] }];
};

const gemm: InferenceRule = (node) => {
  const [a, b] = [inputAt(node, 0), inputAt(node, 1)];
  const left = integerAttribute(node.attributes, "transA", 0) === 1 ? a.shape.toReversed() : a.shape;
  const right = integerAttribute(node.attributes, "transB", 0) === 1 ? b.shape.toReversed() : b.shape;
  checkInner("Gemm", left, right);
  return [{ dtype: a.dtype, shape: [...left.slice(0, 1), ...right.slice(1, 2)] }];
};

/** Matrix products. */
export const linearInference: Readonly<Record<string, InferenceRule>> = { MatMul: matMul, Gemm: gemm };
