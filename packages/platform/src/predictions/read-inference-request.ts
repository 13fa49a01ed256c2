import type { TensorSpec } from "@modelyard/contracts";
import { PlatformError } from "../foundation/index.ts";
import { bytesPerElement, type Tensor } from "../runtimes/index.ts";
import { readBinaryData, textIn } from "./binary-tensors.ts";
import {
  briefly,
  type InferenceRequest,
  isObject,
  type ModelTensors,
  type OutputWish,
  shapeText,
  takeInputs,
  takeOutputs,
  type WireInput,
  wrongTensor,
} from "./inference-request.ts";
import { readJsonData } from "./json-tensors.ts";
import { parsePredictionJson } from "./parse-json.ts";

const parametersOf = (holder: Record<string, unknown>): Record<string, unknown> => {
  const { parameters = {} } = holder;
  if (isObject(parameters)) return parameters;
  throw wrongTensor(`\`parameters\` must be an object, but ${briefly(parameters)} came.`);
};

/** Bytes behind the JSON, handed out in the order of the tensors. */
class BinaryPart {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  take(size: unknown, name: string): Uint8Array {
    const left = this.#bytes.byteLength - this.#at;
    if (typeof size !== "number" || !Number.isInteger(size) || size < 0 || size > left) {
      throw wrongTensor(`Input "${name}" claims a binary_data_size of ${briefly(size)}, but ${left} bytes are left.`);
    }
    return this.#bytes.subarray(this.#at, (this.#at += size));
  }

  end(): void {
    const left = this.#bytes.byteLength - this.#at;
    if (left > 0) throw wrongTensor(`${left} bytes follow the last tensor. Every tensor names its binary_data_size.`);
  }
}

const wireInput = (input: unknown, binary: BinaryPart): WireInput => {
  if (!isObject(input) || typeof input["name"] !== "string") throw wrongTensor("Every input needs a `name`.");
  const { name, datatype, shape, data } = input;
  const size = parametersOf(input)["binary_data_size"];
  if (size === undefined) return { name, datatype, shape, read: (spec, sizes) => readJsonData(data, spec, sizes) };
  if (data !== undefined)
    throw wrongTensor(`Input "${name}" has both \`data\` and a binary_data_size. Send one of them.`);
  const bytes = binary.take(size, name);
  return { name, datatype, shape, read: (spec, sizes) => readBinaryData(bytes, spec, sizes) };
};

const wishesOf = (list: unknown, binaryByDefault: boolean): OutputWish[] => {
  if (list === undefined) return [];
  if (!Array.isArray(list)) throw wrongTensor("`outputs` must be a list of names.");
  return list.map((output: unknown): OutputWish => {
    if (!isObject(output)) throw wrongTensor("Every output needs a `name`.");
    const { binary_data: binary = binaryByDefault, classification: classes = 0 } = parametersOf(output);
    if (typeof classes !== "number" || !Number.isInteger(classes) || classes < 0)
      throw wrongTensor(`\`classification\` must be a number of classes, but ${briefly(classes)} came.`);
    return { name: output["name"], binary: binary === true, classes };
  });
};

const wholeParameter = (parameters: Record<string, unknown>, name: string): number => {
  const { [name]: value = 0 } = parameters;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw wrongTensor(`The parameter \`${name}\` must be a whole number from 0, but ${briefly(value)} came.`);
};

const idOf = ({ id }: Record<string, unknown>): string | undefined => {
  if (id === undefined || typeof id === "string") return id;
  throw wrongTensor("The request's `id` must be a text.");
};

/** The shape of a raw request's one input: one row, and its free axis as long as the bytes make it. */
const rawShape = (spec: TensorSpec, bytes: number, batchable: boolean): number[] => {
  const shape = spec.shape.map((size, axis) => (batchable && axis === 0 ? 1 : size));
  const free = shape.filter((size) => size === -1).length;
  if (free > 1)
    throw wrongTensor(`A raw request cannot say the sizes of input "${spec.name}", which has ${free} free axes.`);
  if (spec.datatype === "BYTES") return shape.map((size) => (size === -1 ? 1 : size));
  const known = shape.reduce((product, size) => (size === -1 ? product : product * size), 1);
  return shape.map((size) =>
    size === -1 ? Math.floor(bytes / bytesPerElement(spec.datatype as "FP32") / known) : size,
  );
};

const readRawRequest = (body: Uint8Array, model: ModelTensors): InferenceRequest => {
  const [spec] = model.inputs;
  if (spec === undefined || model.inputs.length > 1) {
    throw wrongTensor(
      `A raw request holds one input, but the model has ${model.inputs.length}. Send JSON before the bytes.`,
    );
  }
  const { name, datatype } = spec;
  const read = (_: TensorSpec, shape: readonly number[]): Tensor["data"] =>
    datatype === "BYTES" ? [textIn(body, name)] : readBinaryData(body, spec, shape);
  if (datatype === "BYTES" && spec.shape.some((size) => size > 1)) {
    throw wrongTensor(
      `A raw request is one text, but input "${name}" of shape ${shapeText(spec.shape)} takes several.`,
    );
  }
  const input = { name, datatype, shape: rawShape(spec, body.byteLength, model.batchable), read };
  return {
    id: undefined,
    tensors: takeInputs([input], model),
    outputs: takeOutputs([], model, true),
    priority: 0,
    timeoutMs: 0,
  };
};

/** Reads 64-bit numbers without loss where the model takes any. */
const isWide = ({ datatype }: TensorSpec): boolean => datatype === "INT64" || datatype === "UINT64";

/**
 * Reads a request of the Open Inference Protocol v2.
 * @param headerBytes Length of the JSON when binary tensors follow it; `null` when all is JSON, 0 for a raw request.
 * @throws PlatformError `malformed-json`; `tensor-invalid` saying which input, what was expected and what came.
 */
export const readInferenceRequest = (
  body: Uint8Array,
  headerBytes: number | null,
  model: ModelTensors,
): InferenceRequest => {
  if (headerBytes === 0) return readRawRequest(body, model);
  if (headerBytes !== null && headerBytes > body.byteLength) {
    throw new PlatformError(
      "malformed-json",
      `Inference-Header-Content-Length says ${headerBytes}, but the body has ${body.byteLength} bytes.`,
    );
  }
  const json = headerBytes === null ? body : body.subarray(0, headerBytes);
  const request = parsePredictionJson(json, { lossless: model.inputs.some(isWide) });
  if (!isObject(request) || !Array.isArray(request["inputs"]) || request["inputs"].length === 0) {
    throw wrongTensor("The request needs `inputs`: a list of tensors with name, shape, datatype and data.");
  }
  const parameters = parametersOf(request);
  const binaryByDefault = parameters["binary_data_output"] === true;
  const binary = new BinaryPart(headerBytes === null ? body.subarray(body.byteLength) : body.subarray(headerBytes));
  const inputs = request["inputs"].map((input: unknown) => wireInput(input, binary));
  binary.end();
  return {
    id: idOf(request),
    tensors: takeInputs(inputs, model),
    outputs: takeOutputs(wishesOf(request["outputs"], binaryByDefault), model, binaryByDefault),
    priority: wholeParameter(parameters, "priority"),
    timeoutMs: wholeParameter(parameters, "timeout") / 1000,
  };
};
