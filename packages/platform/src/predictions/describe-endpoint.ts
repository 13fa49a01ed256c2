import type { TensorSpec } from "@modelyard/contracts";
import type { RoutedEndpoint } from "../deployments/index.ts";

/** Metadata of the Open Inference Protocol. */
export const toModelMetadata = ({ name, version, inputs, outputs }: RoutedEndpoint): Record<string, unknown> => ({
  name,
  versions: version === null ? [] : [String(version)],
  platform: "onnxruntime_onnx",
  inputs,
  outputs,
});

const isBatchable = ({ inputs, outputs }: RoutedEndpoint): boolean =>
  inputs.length > 0 && [...inputs, ...outputs].every(({ shape }) => shape[0] === -1);

const tensorConfig =
  (batchable: boolean) =>
  ({ name, datatype, shape }: TensorSpec): Record<string, unknown> => ({
    name,
    data_type: datatype === "BYTES" ? "TYPE_STRING" : `TYPE_${datatype}`,
    // Triton counts the batch as no dimension.
    dims: batchable ? shape.slice(1) : shape,
  });

/** Configuration as Triton writes it. */
export const toModelConfig = (endpoint: RoutedEndpoint, batchRowsMax: number): Record<string, unknown> => {
  const batchable = isBatchable(endpoint);
  return {
    name: endpoint.name,
    platform: "onnxruntime_onnx",
    backend: "onnxruntime",
    max_batch_size: batchable ? batchRowsMax : 0,
    input: endpoint.inputs.map(tensorConfig(batchable)),
    output: endpoint.outputs.map(tensorConfig(batchable)),
    instance_group: [{ name: endpoint.name, kind: "KIND_CPU", count: endpoint.replicas.length }],
    ...(batchable ? { dynamic_batching: { max_queue_delay_microseconds: 0 } } : {}),
  };
};

/** State of a version as TensorFlow Serving tells it. */
export const toTensorFlowStatus = ({ version }: RoutedEndpoint, ready: boolean): Record<string, unknown> => ({
  model_version_status: [
    {
      version: String(version ?? 0),
      state: ready ? "AVAILABLE" : "LOADING",
      status: { error_code: "OK", error_message: "" },
    },
  ],
});

const tensorFlowTypes: Readonly<Record<TensorSpec["datatype"], string>> = {
  BOOL: "DT_BOOL",
  UINT8: "DT_UINT8",
  UINT16: "DT_UINT16",
  UINT32: "DT_UINT32",
  UINT64: "DT_UINT64",
  INT8: "DT_INT8",
  INT16: "DT_INT16",
  INT32: "DT_INT32",
  INT64: "DT_INT64",
  FP16: "DT_HALF",
  BF16: "DT_BFLOAT16",
  FP32: "DT_FLOAT",
  FP64: "DT_DOUBLE",
  BYTES: "DT_STRING",
};

const tensorFlowInfo = (specs: readonly TensorSpec[]): Record<string, unknown> =>
  Object.fromEntries(
    specs.map(({ name, datatype, shape }) => {
      const dim = shape.map((size) => ({ size: String(size), name: "" }));
      return [name, { dtype: tensorFlowTypes[datatype], tensor_shape: { dim, unknown_rank: false }, name }];
    }),
  );

/** Metadata as TensorFlow Serving tells it. */
export const toTensorFlowMetadata = ({ name, version, inputs, outputs }: RoutedEndpoint): Record<string, unknown> => ({
  model_spec: { name, signature_name: "", version: String(version ?? 0) },
  metadata: {
    signature_def: {
      signature_def: {
        serving_default: {
          inputs: tensorFlowInfo(inputs),
          outputs: tensorFlowInfo(outputs),
          method_name: "tensorflow/serving/predict",
        },
      },
    },
  },
});
