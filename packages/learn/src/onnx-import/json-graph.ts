import { z } from "zod";
import { isTensor } from "../onnx/attributes.ts";
import type { Attribute, Attributes, Node } from "../onnx/graph.ts";
import { type DataType, type Tensor, tensor } from "../onnx/tensor.ts";

const dataTypes = ["float32", "float64", "int32", "int64", "uint8", "int8", "bool"] as const;

/** A small tensor in JSON; numbers that JSON does not have are texts, as in `"-Infinity"`. */
export interface JsonTensor {
  readonly dtype: DataType;
  readonly shape: readonly number[];
  readonly values: readonly (number | string)[];
}

const tensorSchema: z.ZodType<JsonTensor> = z.strictObject({
  dtype: z.enum(dataTypes),
  shape: z.array(z.int().min(0)),
  values: z.array(z.union([z.number(), z.string()])),
});

type JsonAttribute = Exclude<Attribute, Tensor> | JsonTensor;

const attributeSchema: z.ZodType<JsonAttribute> = z.union([
  z.number(),
  z.string(),
  z.array(z.number()),
  z.array(z.string()),
  z.strictObject({ float: z.number() }),
  z.strictObject({ floats: z.array(z.number()) }),
  tensorSchema,
]);

/** A node in JSON. */
export interface JsonNode {
  readonly name: string;
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, JsonAttribute>>;
}

/** A weight of an imported graph: an initializer that can be learnt. */
export interface GraphWeight {
  readonly shape: readonly number[];
  /** False for statistics of a normalisation. */
  readonly trainable: boolean;
}

/** An imported graph as a layer's arguments: everything but the values of its weights. */
export interface GraphArguments {
  readonly operatorSet: number;
  /** Values that are fed, the batch first. */
  readonly feeds: readonly { readonly name: string; readonly dtype: DataType }[];
  /** The layer's result, then what it gives beside it. */
  readonly outputs: readonly string[];
  readonly nodes: readonly JsonNode[];
  readonly constants: Readonly<Record<string, JsonTensor>>;
  readonly weights: Readonly<Record<string, GraphWeight>>;
  /** Beginnings of the names of weights that stay as they are. */
  readonly frozen: readonly string[];
}

/** Accepts {@link GraphArguments}. */
export const graphSchema: z.ZodType<GraphArguments> = z.strictObject({
  operatorSet: z.int().min(7).max(26),
  feeds: z.array(z.strictObject({ name: z.string(), dtype: z.enum(dataTypes) })).min(1),
  outputs: z.array(z.string()).min(1),
  nodes: z.array(
    z.strictObject({
      name: z.string(),
      operator: z.string(),
      inputs: z.array(z.string()),
      outputs: z.array(z.string()),
      attributes: z.record(z.string(), attributeSchema),
    }),
  ),
  constants: z.record(z.string(), tensorSchema),
  weights: z.record(z.string(), z.strictObject({ shape: z.array(z.int().min(1)), trainable: z.boolean() })),
  frozen: z.array(z.string()).default([]),
});

/** A tensor as JSON. */
export const jsonTensor = ({ dtype, shape, values }: Tensor): JsonTensor => ({
  dtype,
  shape,
  values: Array.from(values as ArrayLike<number | bigint>, (value) => {
    const number = Number(value);
    return Number.isFinite(number) ? number : String(number);
  }),
});

/** "To the end" is the largest 64-bit integer, which is no number of JSON; this one means the same. */
const far = 2 ** 62;

/** A tensor from JSON. */
export const tensorOf = ({ dtype, shape, values }: JsonTensor): Tensor => {
  const numbers = values.map(Number);
  const held = dtype === "int64" ? numbers.map((value) => Math.min(Math.max(value, -far), far)) : numbers;
  return tensor(dtype, shape, held);
};

/** A node as JSON. */
export const jsonNode = ({ name, operator, inputs, outputs, attributes }: Node): JsonNode => ({
  name,
  operator,
  inputs,
  outputs,
  attributes: Object.fromEntries(
    Object.entries(attributes).map(([key, value]) => [key, isTensor(value) ? jsonTensor(value) : value]),
  ),
});

/** Attributes from JSON. */
export const attributesOf = (attributes: JsonNode["attributes"]): Attributes =>
  Object.fromEntries(
    Object.entries(attributes).map(([key, value]): [string, Attribute] => [
      key,
      typeof value === "object" && "dtype" in value ? tensorOf(value) : value,
    ]),
  );
