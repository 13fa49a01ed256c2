import { elementsOf, type Tensor } from "../runtimes/index.ts";
import { writeBinaryData } from "./binary-tensors.ts";
import type { InferenceRequest, WantedOutput } from "./inference-request.ts";
import { writeJsonData } from "./json-tensors.ts";

/** An answer's body, and the length of its JSON when binary tensors follow. */
export interface InferenceAnswer {
  readonly body: readonly Uint8Array[];
  readonly headerBytes: number | null;
}

/** Who answers. */
export interface AnsweringModel {
  readonly name: string;
  readonly version: number;
  readonly outputs: readonly { readonly name: string }[];
  /** Names of the classes; `null` when there are none. */
  readonly labels: readonly string[] | null;
}

/** The best classes of every row as `score:index:label`, as Triton's classification extension says. */
const classify = (tensor: Tensor, count: number, labels: readonly string[] | null): Tensor => {
  const rows = tensor.shape.length > 1 ? (tensor.shape[0] ?? 1) : 1;
  const width = rows === 0 ? 0 : elementsOf(tensor.shape) / rows;
  const best = Math.min(count, width);
  const texts = Array.from({ length: rows }, (_, row) => {
    const scores = Array.from({ length: width }, (_, i) => Number(tensor.data[row * width + i]));
    const order = scores.map((_, i) => i).sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0));
    return order.slice(0, best).map((i) => {
      const label = labels?.[i];
      return `${(scores[i] ?? 0).toFixed(6)}:${i}${label === undefined ? "" : `:${label}`}`;
    });
  });
  return { datatype: "BYTES", shape: tensor.shape.length > 1 ? [rows, best] : [best], data: texts.flat() };
};

/** An output as it leaves, whatever the protocol. */
export const outputTensor = (tensor: Tensor, { classes }: WantedOutput, model: AnsweringModel): Tensor =>
  classes > 0 && tensor.datatype !== "BYTES" ? classify(tensor, classes, model.labels) : tensor;

/** Writes an answer of the Open Inference Protocol v2; binary tensors are handed on without a copy. */
export const writeInferenceResponse = (
  request: Pick<InferenceRequest, "id" | "outputs">,
  tensors: readonly Tensor[],
  model: AnsweringModel,
): InferenceAnswer => {
  const binary: Uint8Array[] = [];
  const list = request.outputs.map((wanted) => {
    const tensor = outputTensor(tensors[wanted.index] as Tensor, wanted, model);
    const start = `{"name":${JSON.stringify(model.outputs[wanted.index]?.name)},"datatype":"${tensor.datatype}","shape":[${tensor.shape.join(",")}]`;
    if (!wanted.binary) return `${start},"data":${writeJsonData(tensor)}}`;
    const bytes = writeBinaryData(tensor);
    binary.push(bytes);
    return `${start},"parameters":{"binary_data_size":${bytes.byteLength}}}`;
  });
  const id = request.id === undefined ? "" : `,"id":${JSON.stringify(request.id)}`;
  const json = Buffer.from(
    `{"model_name":${JSON.stringify(model.name)},"model_version":"${model.version}"${id},"outputs":[${list.join(",")}]}`,
  );
  return { body: [json, ...binary], headerBytes: binary.length > 0 ? json.byteLength : null };
};
