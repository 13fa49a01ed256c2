import type { TensorSpec } from "@modelyard/contracts";
import { elementsOf, type Tensor } from "../runtimes/index.ts";
import {
  briefly,
  type InferenceRequest,
  isObject,
  type ModelTensors,
  takeInputs,
  takeOutputs,
  type WireInput,
  wrongTensor,
} from "./inference-request.ts";
import { readJsonData, writeJsonData } from "./json-tensors.ts";
import { parsePredictionJson } from "./parse-json.ts";
import type { AnsweringModel } from "./write-inference-response.ts";

/** A request of TensorFlow Serving, and whether its answer is rows (`predictions`) or columns (`outputs`). */
export interface TensorFlowRequest extends InferenceRequest {
  readonly rows: boolean;
}

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

const wireInput = (spec: TensorSpec, value: unknown): WireInput => {
  const data = spec.datatype === "BYTES" ? withTexts(value) : value;
  const list = Array.isArray(data) ? data : [data];
  return {
    name: spec.name,
    datatype: spec.datatype,
    shape: shapeIn(data, spec.shape.length),
    read: (own, shape) => readJsonData(list, own, shape),
  };
};

const namedInputs = (values: Record<string, unknown>, model: ModelTensors): WireInput[] =>
  Object.entries(values).map(([name, value]) => {
    const spec = model.inputs.find((input) => input.name === name);
    return spec === undefined ? { name, datatype: null, shape: null, read: () => [] } : wireInput(spec, value);
  });

const isNamed = (value: unknown): value is Record<string, unknown> => isObject(value) && !("b64" in value);

const fromRows = (instances: readonly unknown[], model: ModelTensors): WireInput[] => {
  const [first] = instances;
  const [spec] = model.inputs;
  if (!isNamed(first)) {
    if (spec === undefined || model.inputs.length > 1) {
      const names = model.inputs.map(({ name }) => name).join(", ");
      throw wrongTensor(`The model has several inputs: every instance must be an object with ${names}.`);
    }
    return [wireInput(spec, instances)];
  }
  const columns: Record<string, unknown[]> = {};
  for (const instance of instances) {
    if (!isNamed(instance))
      throw wrongTensor(`Every instance must be an object like the first, but ${briefly(instance)} came.`);
    for (const [name, value] of Object.entries(instance)) (columns[name] ??= []).push(value);
  }
  return namedInputs(columns, model);
};

const fromColumns = (inputs: unknown, model: ModelTensors): WireInput[] => {
  if (isNamed(inputs)) return namedInputs(inputs, model);
  const [spec] = model.inputs;
  if (spec !== undefined && model.inputs.length === 1) return [wireInput(spec, inputs)];
  throw wrongTensor("The model has several inputs: `inputs` must be an object with one member for each.");
};

/**
 * Reads a predict request of TensorFlow Serving.
 * @throws PlatformError `malformed-json`, `tensor-invalid`.
 */
export const readTensorFlowRequest = (body: Uint8Array, model: ModelTensors): TensorFlowRequest => {
  const wide = model.inputs.some(({ datatype }) => datatype === "INT64" || datatype === "UINT64");
  const request = parsePredictionJson(body, { lossless: wide });
  const { instances, inputs, signature_name: signature = "serving_default" } = isObject(request) ? request : {};
  if (signature !== "serving_default")
    throw wrongTensor(`There is no signature ${briefly(signature)}; the one is "serving_default".`);
  const rows = Array.isArray(instances) && instances.length > 0;
  if (rows === (inputs !== undefined)) {
    throw wrongTensor("Send either `instances`, a list of rows, or `inputs`, the tensors in columns.");
  }
  const wire = rows ? fromRows(instances as unknown[], model) : fromColumns(inputs, model);
  return {
    id: undefined,
    tensors: takeInputs(wire, model),
    outputs: takeOutputs([], model, false),
    priority: 0,
    timeoutMs: 0,
    rows,
  };
};

/** A tensor as nested lists of JSON. */
const nested = ({ datatype, shape, data }: Tensor): string => {
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
  return rest.length === 0 ? writeJsonData(own).slice(1, -1) : nested(own);
};

/** Writes the answer of TensorFlow Serving: the only output alone, several by name. */
export const writeTensorFlowResponse = (
  { rows }: Pick<TensorFlowRequest, "rows">,
  tensors: readonly Tensor[],
  { outputs }: Pick<AnsweringModel, "outputs">,
): Uint8Array => {
  const named = (texts: readonly string[]): string =>
    texts.length === 1
      ? (texts[0] ?? "null")
      : `{${texts.map((text, i) => `${JSON.stringify(outputs[i]?.name)}:${text}`).join(",")}}`;
  if (!rows) return Buffer.from(`{"outputs":${named(tensors.map(nested))}}`);
  const count = tensors[0]?.shape[0] ?? 0;
  const list = Array.from({ length: count }, (_, row) => named(tensors.map((tensor) => rowOf(tensor, row))));
  return Buffer.from(`{"predictions":[${list.join(",")}]}`);
};
