import type { TensorSpec } from "@modelyard/contracts";
import { elementsOf, type Tensor } from "../runtimes/index.ts";
import { briefly, isObject, type ModelTensors, type WireInput, wrongTensor } from "./inference-request.ts";
import { readJsonData, writeJsonData } from "./json-tensors.ts";
import type { AnsweringModel } from "./write-inference-response.ts";

const depthMax = 16;

/** Lengths of nested lists, as far down as the tensor has axes. */
const shapeIn = (value: unknown, rank: number): number[] => {
  const shape: number[] = [];
  for (let inner = value; Array.isArray(inner) && shape.length < rank; inner = inner[0]) shape.push(inner.length);
  return shape;
};

/** Texts come as they are or as `{"b64": …}`. */
const withTexts = (value: unknown, depth = 0): unknown => {
  if (Array.isArray(value)) {
    if (depth > depthMax) throw wrongTensor("The input is nested too deep.");
    return value.map((item) => withTexts(item, depth + 1));
  }
  if (isObject(value) && typeof value["b64"] === "string") return Buffer.from(value["b64"], "base64").toString("utf8");
  return value;
};

/** A tensor from its value in JSON; its shape is how the lists are nested. */
export const valueInput = (spec: TensorSpec, value: unknown): WireInput => {
  const data = spec.datatype === "BYTES" ? withTexts(value) : value;
  const list = Array.isArray(data) ? data : [data];
  return {
    name: spec.name,
    datatype: spec.datatype,
    shape: shapeIn(data, spec.shape.length),
    read: (own, shape) => readJsonData(list, own, shape),
  };
};

/** Tensors from their values by name; names that the model does not have are refused later. */
export const namedInputs = (values: Record<string, unknown>, model: ModelTensors): WireInput[] =>
  Object.entries(values).map(([name, value]) => {
    const spec = model.inputs.find((input) => input.name === name);
    return spec === undefined ? { name, datatype: null, shape: null, read: () => [] } : valueInput(spec, value);
  });

/** Whether a value is an object of tensors by name. */
export const isNamed = (value: unknown): value is Record<string, unknown> => isObject(value) && !("b64" in value);

/**
 * Tensors from rows: each the value of the one input, or an object with one for every input.
 * @throws PlatformError `tensor-invalid`.
 */
export const rowInputs = (instances: readonly unknown[], model: ModelTensors): WireInput[] => {
  const [first] = instances;
  const [spec] = model.inputs;
  if (!isNamed(first)) {
    if (spec === undefined || model.inputs.length > 1) {
      const names = model.inputs.map(({ name }) => name).join(", ");
      throw wrongTensor(`The model has several inputs: every instance must be an object with ${names}.`);
    }
    return [valueInput(spec, instances)];
  }
  const columns: Record<string, unknown[]> = {};
  for (const instance of instances) {
    if (!isNamed(instance))
      throw wrongTensor(`Every instance must be an object like the first, but ${briefly(instance)} came.`);
    for (const [name, value] of Object.entries(instance)) (columns[name] ??= []).push(value);
  }
  return namedInputs(columns, model);
};

/** A tensor as nested lists of JSON. */
export const nestedJson = ({ datatype, shape, data }: Tensor): string => {
  const flat = writeJsonData({ datatype, shape, data });
  if (shape.length === 1) return flat;
  const values =
    datatype === "BYTES"
      ? (data as readonly string[]).map((text) => JSON.stringify(text))
      : flat.slice(1, -1).split(",");
  let at = 0;
  const write = (axis: number): string => {
    if (axis === shape.length) return values[at++] ?? "null";
    return `[${Array.from({ length: shape[axis] ?? 0 }, () => write(axis + 1)).join(",")}]`;
  };
  return write(0);
};

const rowOf = (tensor: Tensor, row: number): string => {
  const [rows = 1, ...rest] = tensor.shape;
  const width = elementsOf(rest);
  const data = tensor.data.slice(row * width, (row + 1) * width) as Tensor["data"];
  if (rows <= row) return "null";
  const own = { datatype: tensor.datatype, shape: rest, data };
  return rest.length === 0 ? writeJsonData(own).slice(1, -1) : nestedJson(own);
};

/** The only value alone, several as an object by the outputs' names. */
export const byName = (texts: readonly string[], outputs: AnsweringModel["outputs"]): string =>
  texts.length === 1
    ? (texts[0] ?? "null")
    : `{${texts.map((text, i) => `${JSON.stringify(outputs[i]?.name)}:${text}`).join(",")}}`;

/** Every row's values as JSON. */
export const rowsJson = (tensors: readonly Tensor[], outputs: AnsweringModel["outputs"]): string[] =>
  Array.from({ length: tensors[0]?.shape[0] ?? 0 }, (_, row) =>
    byName(
      tensors.map((tensor) => rowOf(tensor, row)),
      outputs,
    ),
  );
