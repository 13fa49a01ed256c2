import type { Tensor } from "../runtimes/index.ts";
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
import { parsePredictionJson } from "./parse-json.ts";
import { byName, isNamed, namedInputs, nestedJson, rowInputs, rowsJson, valueInput } from "./row-tensors.ts";
import type { AnsweringModel } from "./write-inference-response.ts";

/** A request of TensorFlow Serving, and whether its answer is rows (`predictions`) or columns (`outputs`). */
export interface TensorFlowRequest extends InferenceRequest {
  readonly rows: boolean;
}

const fromColumns = (inputs: unknown, model: ModelTensors): WireInput[] => {
  if (isNamed(inputs)) return namedInputs(inputs, model);
  const [spec] = model.inputs;
  if (spec !== undefined && model.inputs.length === 1) return [valueInput(spec, inputs)];
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
  const wire = rows ? rowInputs(instances as unknown[], model) : fromColumns(inputs, model);
  return {
    id: undefined,
    tensors: takeInputs(wire, model),
    outputs: takeOutputs([], model, false),
    priority: 0,
    timeoutMs: 0,
    rows,
  };
};

/** Writes the answer of TensorFlow Serving: the only output alone, several by name. */
export const writeTensorFlowResponse = (
  { rows }: Pick<TensorFlowRequest, "rows">,
  tensors: readonly Tensor[],
  { outputs }: Pick<AnsweringModel, "outputs">,
): Uint8Array =>
  Buffer.from(
    rows
      ? `{"predictions":[${rowsJson(tensors, outputs).join(",")}]}`
      : `{"outputs":${byName(tensors.map(nestedJson), outputs)}}`,
  );
