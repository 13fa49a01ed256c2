import type { Tensor, TensorType } from "./tensor.ts";

/** A floating-point attribute; plain numbers are integers, as ONNX tells the two apart. */
export interface FloatAttribute {
  readonly float: number;
}

/** A list of floating-point numbers as an attribute. */
export interface FloatsAttribute {
  readonly floats: readonly number[];
}

/** Value of an operator's attribute. */
export type Attribute =
  | number
  | string
  | readonly number[]
  | readonly string[]
  | FloatAttribute
  | FloatsAttribute
  | Tensor;

/** Attributes by name. */
export type Attributes = Readonly<Record<string, Attribute>>;

/** One application of an operator. An empty input name stands for an optional input left out. */
export interface Node {
  readonly name: string;
  readonly operator: string;
  /** Operator set; the empty string is ONNX's own. */
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Attributes;
}

/** A named value that enters or leaves a graph. */
export interface GraphPort extends TensorType {
  readonly name: string;
}

/**
 * An immutable ONNX graph: nodes in topological order, constants, and the type of every value.
 * It knows nothing of layers, losses or training.
 */
export interface Graph {
  readonly name: string;
  readonly inputs: readonly GraphPort[];
  readonly outputs: readonly GraphPort[];
  readonly nodes: readonly Node[];
  readonly constants: ReadonlyMap<string, Tensor>;
  /** Types of all values that are known: inputs, constants and every node's outputs. */
  readonly types: ReadonlyMap<string, TensorType>;
}

/** A value inside a graph under construction: its name with its type. */
export interface Value extends TensorType {
  readonly name: string;
}
