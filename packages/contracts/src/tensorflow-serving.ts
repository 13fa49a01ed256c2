import { z } from "zod";
import { Name, Nothing } from "./names.ts";
import { operation } from "./operation.ts";
import { predictErrors } from "./predictions.ts";

/** Request of TensorFlow Serving's predict: rows (`instances`) or columns (`inputs`). */
const TensorFlowRequest = z.object({
  signature_name: z.string().optional(),
  instances: z.array(z.unknown()).optional(),
  inputs: z.unknown().optional(),
});

const ModelParams = z.object({ name: Name });
const VersionParams = z.object({ name: Name, version: z.string().max(20) });

/** TensorFlow Serving: predict. */
export const tensorFlowPredict = operation({
  id: "tensorflow.predict",
  method: "POST",
  path: "/v1/models/{name}:predict",
  scope: "predict",
  served: "gateway",
  summary: "Predict from rows or columns of JSON (TensorFlow Serving)",
  params: ModelParams,
  query: Nothing,
  body: { kind: "bytes", contentTypes: ["application/json"], schema: TensorFlowRequest },
  response: {
    kind: "json",
    status: 200,
    schema: z.object({ predictions: z.array(z.unknown()).optional(), outputs: z.unknown().optional() }),
  },
  errors: [...predictErrors, "tensor-invalid", "malformed-json"],
});

/** TensorFlow Serving: predict with one version. */
export const tensorFlowPredictVersion = operation({
  ...tensorFlowPredict,
  id: "tensorflow.version-predict",
  path: "/v1/models/{name}/versions/{version}:predict",
  summary: "Predict with the version that is named (TensorFlow Serving)",
  params: VersionParams,
});

/** TensorFlow Serving: predict with the version of a label. */
export const tensorFlowPredictLabel = operation({
  ...tensorFlowPredict,
  id: "tensorflow.label-predict",
  path: "/v1/models/{name}/labels/{label}:predict",
  summary: "Predict with the version that an alias names (TensorFlow Serving)",
  params: z.object({ name: Name, label: Name }),
});

/** TensorFlow Serving: state of a version. */
export const tensorFlowStatus = operation({
  id: "tensorflow.status",
  method: "GET",
  path: "/v1/models/{name}/versions/{version}",
  scope: "predict",
  served: "gateway",
  summary: "Show the state of a served version (TensorFlow Serving)",
  params: VersionParams,
  query: Nothing,
  body: { kind: "none" },
  response: {
    kind: "json",
    status: 200,
    schema: z.object({
      model_version_status: z.array(
        z.object({
          version: z.string(),
          state: z.string(),
          status: z.object({ error_code: z.string(), error_message: z.string() }),
        }),
      ),
    }),
  },
  errors: ["not-found"],
});

/** TensorFlow Serving: metadata. */
export const tensorFlowMetadata = operation({
  id: "tensorflow.metadata",
  method: "GET",
  path: "/v1/models/{name}/metadata",
  scope: "predict",
  served: "gateway",
  summary: "Show a served model's signature (TensorFlow Serving)",
  params: ModelParams,
  query: Nothing,
  body: { kind: "none" },
  response: {
    kind: "json",
    status: 200,
    schema: z.object({
      model_spec: z.object({ name: z.string(), signature_name: z.string(), version: z.string() }),
      metadata: z.record(z.string(), z.unknown()),
    }),
  },
  errors: ["not-found"],
});
