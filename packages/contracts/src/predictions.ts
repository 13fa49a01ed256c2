import { z } from "zod";
import { TensorDatatype, TensorSpec } from "./artefact.ts";
import { Name, Nothing } from "./names.ts";
import { operation } from "./operation.ts";

/** One answer of a classifier or regressor. */
export const Prediction = z.object({
  /** Class with the highest probability (classifiers). */
  label: z.string().optional(),
  probability: z.number().optional(),
  /** Probability per class, in the model's order. */
  probabilities: z.record(z.string(), z.number()).optional(),
  /** Number (regressors) or nested array (tensor outputs). */
  value: z.union([z.number(), z.array(z.unknown())]).optional(),
});
/** One answer of a model. */
export type Prediction = z.infer<typeof Prediction>;

/** Answer of `endpoints.predict`: one prediction per input, in order. */
export const PredictResponse = z.object({
  /** Request id, echoed in the header `x-request-id`. */
  id: z.string(),
  endpoint: z.string(),
  model: z.string(),
  version: z.int(),
  predictions: z.array(Prediction),
});
/** Answer of `endpoints.predict`. */
export type PredictResponse = z.infer<typeof PredictResponse>;

/** JSON form of a friendly prediction request: one input, or many. */
export const PredictRequest = z.union([
  z.strictObject({ input: z.unknown() }),
  z.strictObject({ inputs: z.array(z.unknown()).min(1) }),
]);

const Parameters = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));

/** A tensor in a request of the Open Inference Protocol. */
const InferInput = z.object({
  name: z.string(),
  shape: z.array(z.int()),
  datatype: TensorDatatype,
  parameters: Parameters.optional(),
  /** Row-major, flat or nested. */
  data: z.array(z.unknown()),
});

/** Inference request of the Open Inference Protocol v2 (JSON). */
export const InferRequest = z.object({
  id: z.string().optional(),
  parameters: Parameters.optional(),
  inputs: z.array(InferInput).min(1),
  outputs: z.array(z.object({ name: z.string(), parameters: Parameters.optional() })).optional(),
});
/** Inference request of the Open Inference Protocol v2. */
export type InferRequest = z.infer<typeof InferRequest>;

/** Inference answer of the Open Inference Protocol v2 (JSON). */
export const InferResponse = z.object({
  model_name: z.string(),
  model_version: z.string().optional(),
  id: z.string().optional(),
  outputs: z.array(
    z.object({ name: z.string(), shape: z.array(z.int()), datatype: TensorDatatype, data: z.array(z.unknown()) }),
  ),
});
/** Inference answer of the Open Inference Protocol v2. */
export type InferResponse = z.infer<typeof InferResponse>;

const EndpointParams = z.object({ name: Name });
const predictErrors = [
  "not-found",
  "endpoint-not-ready",
  "replica-failed",
  "queue-full",
  "deadline-exceeded",
  "payload-too-large",
] as const;

/** Predicts from raw inputs. */
export const predict = operation({
  id: "endpoints.predict",
  method: "POST",
  path: "/api/v1/endpoints/{name}/predict",
  scope: "predict",
  served: "gateway",
  summary: "Predict from what the signature says: an image file, a table row, or an array",
  params: EndpointParams,
  query: Nothing,
  body: {
    kind: "bytes",
    contentTypes: ["application/json", "image/png", "image/jpeg", "image/webp", "multipart/form-data"],
    schema: PredictRequest,
  },
  response: { kind: "json", status: 200, schema: PredictResponse },
  errors: [...predictErrors, "prediction-input-invalid", "image-undecodable", "unsupported-media-type"],
});

/** Open Inference: infer. */
export const infer = operation({
  id: "v2.infer",
  method: "POST",
  path: "/v2/models/{name}/infer",
  scope: "predict",
  served: "gateway",
  summary: "Run inference on tensors (Open Inference Protocol v2)",
  params: EndpointParams,
  query: Nothing,
  body: { kind: "bytes", contentTypes: ["application/json"], schema: InferRequest },
  response: { kind: "json", status: 200, schema: InferResponse },
  errors: [...predictErrors, "tensor-invalid"],
});

/** Open Inference: model metadata. */
export const modelMetadata = operation({
  id: "v2.model",
  method: "GET",
  path: "/v2/models/{name}",
  scope: "predict",
  served: "gateway",
  summary: "Show a served model's tensors (Open Inference Protocol v2)",
  params: EndpointParams,
  query: Nothing,
  body: { kind: "none" },
  response: {
    kind: "json",
    status: 200,
    schema: z.object({
      name: z.string(),
      versions: z.array(z.string()),
      platform: z.string(),
      inputs: z.array(TensorSpec),
      outputs: z.array(TensorSpec),
    }),
  },
  errors: ["not-found"],
});

/** Open Inference: model readiness. */
export const modelReady = operation({
  id: "v2.model-ready",
  method: "GET",
  path: "/v2/models/{name}/ready",
  scope: "predict",
  served: "gateway",
  summary: "Say whether a served model is ready (Open Inference Protocol v2)",
  params: EndpointParams,
  query: Nothing,
  body: { kind: "none" },
  response: { kind: "json", status: 200, schema: z.object({ name: z.string(), ready: z.boolean() }) },
  errors: ["not-found", "endpoint-not-ready"],
});

/** Open Inference: server metadata. */
export const serverMetadata = operation({
  id: "v2.server",
  method: "GET",
  path: "/v2",
  scope: "public",
  served: "gateway",
  summary: "Show the server's name, version and protocol extensions (Open Inference Protocol v2)",
  params: Nothing,
  query: Nothing,
  body: { kind: "none" },
  response: {
    kind: "json",
    status: 200,
    schema: z.object({ name: z.string(), version: z.string(), extensions: z.array(z.string()) }),
  },
  errors: [],
});

/** Open Inference: server liveness. */
export const serverLive = operation({
  id: "v2.live",
  method: "GET",
  path: "/v2/health/live",
  scope: "public",
  served: "gateway",
  summary: "Say whether the server runs (Open Inference Protocol v2)",
  params: Nothing,
  query: Nothing,
  body: { kind: "none" },
  response: { kind: "json", status: 200, schema: z.object({ live: z.boolean() }) },
  errors: [],
});

/** Open Inference: server readiness. */
export const serverReady = operation({
  id: "v2.ready",
  method: "GET",
  path: "/v2/health/ready",
  scope: "public",
  served: "gateway",
  summary: "Say whether the server can take requests (Open Inference Protocol v2)",
  params: Nothing,
  query: Nothing,
  body: { kind: "none" },
  response: { kind: "json", status: 200, schema: z.object({ live: z.boolean(), ready: z.boolean() }) },
  errors: ["endpoint-not-ready"],
});
