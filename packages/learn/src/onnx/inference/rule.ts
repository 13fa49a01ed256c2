import { isStatic } from "../tensor.ts";
import type { Attributes } from "../graph.ts";
import type { Dimension, Tensor, TensorType } from "../tensor.ts";
import { LearnError } from "../../errors.ts";

/** What an inference rule sees of a node. */
export interface InferenceInput {
  readonly operator: string;
  /** Types of the inputs; an optional input left out is undefined. */
  readonly inputs: readonly (TensorType | undefined)[];
  /** Values of those inputs that are constants. */
  readonly constants: readonly (Tensor | undefined)[];
  /** Elements of those small inputs that are known without being constants; open lengths by name. */
  readonly symbols?: readonly (readonly Dimension[] | undefined)[];
  readonly attributes: Attributes;
  readonly outputCount: number;
}

/** Computes the types of a node's outputs. */
export type InferenceRule = (node: InferenceInput) => readonly TensorType[];

/** Type of an input that must be there. */
export const inputAt = (node: InferenceInput, index: number): TensorType => {
  const type = node.inputs[index];
  if (type === undefined) throw new LearnError("onnx-invalid", `${node.operator} lacks its input ${index}.`);
  return type;
};

/** Lengths that an input holds, open ones by name; undefined when the input is left out. */
export const dimensionsAt = (node: InferenceInput, index: number): readonly Dimension[] | undefined => {
  if (node.inputs[index] === undefined) return undefined;
  const constant = node.constants[index];
  if (constant !== undefined) return Array.from(constant.values as ArrayLike<number | bigint>, Number);
  const symbols = node.symbols?.[index];
  if (symbols !== undefined) return symbols;
  throw new LearnError("onnx-invalid", `${node.operator} is only supported with a constant input ${index}.`);
};

/** Integers of a constant input; undefined when the input is left out. */
export const constantAt = (node: InferenceInput, index: number): number[] | undefined => {
  const dimensions = dimensionsAt(node, index);
  if (dimensions === undefined || isStatic(dimensions)) return dimensions && [...dimensions];
  throw new LearnError(
    "onnx-invalid",
    `${node.operator} is only supported with a constant input ${index}, but it is [${dimensions.join(", ")}].`,
  );
};
