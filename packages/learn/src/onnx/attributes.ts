import { LearnError } from "../errors.ts";
import type { Attribute, Attributes, FloatAttribute, FloatsAttribute } from "./graph.ts";
import type { Tensor } from "./tensor.ts";

/** Whether an attribute is a floating-point number. */
export const isFloat = (value: Attribute): value is FloatAttribute => typeof value === "object" && "float" in value;

/** Whether an attribute is a list of floating-point numbers. */
export const isFloats = (value: Attribute): value is FloatsAttribute => typeof value === "object" && "floats" in value;

/** Whether an attribute is a tensor. */
export const isTensor = (value: Attribute): value is Tensor => typeof value === "object" && "dtype" in value;

/** Whether an attribute is a list of integers or of strings. */
const isList = (value: Attribute): value is readonly number[] | readonly string[] => Array.isArray(value);

const wrongKind = (name: string, expected: string): LearnError =>
  new LearnError("onnx-invalid", `Attribute "${name}" must be ${expected}. Export the model again.`);

/** Reads an integer attribute. */
export const integerAttribute = (attributes: Attributes, name: string, otherwise: number): number => {
  const value = attributes[name];
  if (value === undefined) return otherwise;
  if (typeof value !== "number") throw wrongKind(name, "an integer");
  return value;
};

/** Reads a floating-point attribute. */
export const floatAttribute = (attributes: Attributes, name: string, otherwise: number): number => {
  const value = attributes[name];
  if (value === undefined) return otherwise;
  if (typeof value === "number") return value;
  if (!isFloat(value)) throw wrongKind(name, "a number");
  return value.float;
};

/** Reads a list of integers. */
export const integersAttribute = (attributes: Attributes, name: string): readonly number[] | undefined => {
  const value = attributes[name];
  if (value === undefined) return undefined;
  if (!isList(value) || !value.every((item) => typeof item === "number")) throw wrongKind(name, "a list of integers");
  return value;
};

/** Reads a text attribute. */
export const textAttribute = (attributes: Attributes, name: string, otherwise: string): string => {
  const value = attributes[name];
  if (value === undefined) return otherwise;
  if (typeof value !== "string") throw wrongKind(name, "a text");
  return value;
};
