import { z } from "zod";
import { TensorDatatype, TensorSpec } from "./artefact.ts";
import { Name, Nothing } from "./names.ts";
import { operation } from "./operation.ts";
import { predictErrors } from "./predictions.ts";

const Parameters = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));

/** A tensor in a request of the Open Inference Protocol. */
const InferInput = z.object({
  name: z.string(),
  shape: z.array(z.int()),
  datatype: TensorDatatype,
  /** `binary_data_size`: the tensor's bytes follow the JSON instead of standing in `data`. */
  parameters: Parameters.optional(),
  /** Row-major, flat or nested. */
  data: z.array(z.unknown()).optional(),
});

/** Inference request of the Open Inference Protocol v2 (its JSON part). */
export const InferRequest = z.object({
  id: z.string().optional(),
  /** `priority`, `timeout` (microseconds), `binary_data_output`; others are taken and ignored. */
  parameters: Parameters.optional(),
  inputs: z.array(InferInput).min(1),
  /** Wanted outputs, each with `binary_data` or `classification` among its parameters; all when left out. */
  outputs: z.array(z.object({ name: z.string(), parameters: Parameters.optional() })).optional(),
});
/** Inference request of the Open Inference Protocol v2. */
export type InferRequest = z.infer<typeof InferRequest>;

/** Inference answer of the Open Inference Protocol v2 (its JSON part). */
export const InferResponse = z.object({
  model_name: z.string(),
  model_version: z.string().optional(),
  id: z.string().optional(),
  outputs: z.array(
    z.object({
      name: z.string(),
      shape: z.array(z.int()),
      datatype: TensorDatatype,
      parameters: Parameters.optional(),
      data: z.array(z.unknown()).optional(),
    }),
  ),
});
/** Inference answer of the Open Inference Protocol v2. */
export type InferResponse = z.infer<typeof InferResponse>;

const ModelParams = z.object({ name: Name });
/** The version in a path; clients may write any text, only the version that is served is found. */
const VersionParams = z.object({ name: Name, version: z.string().max(20) });

/** Open Inference: infer. */
export const infer = operation({
  id: "v2.infer",
  method: "POST",
  path: "/v2/models/{name}/infer",
  scope: "predict",
  served: "gateway",
  summary: "Run inference on tensors (Open Inference Protocol v2)",
  params: ModelParams,
  query: Nothing,
  body: { kind: "bytes", contentTypes: ["application/json", "application/octet-stream"], schema: InferRequest },
  response: { kind: "json", status: 200, schema: InferResponse },
  errors: [...predictErrors, "tensor-invalid", "malformed-json", "gzip-invalid"],
});

/** Open Inference: infer with one version. */
export const inferVersion = operation({
  ...infer,
  id: "v2.version-infer",
  path: "/v2/models/{name}/versions/{version}/infer",
  summary: "Run inference on tensors with the version that is named (Open Inference Protocol v2)",
  params: VersionParams,
});

const ModelMetadata = z.object({
  name: z.string(),
  versions: z.array(z.string()),
  platform: z.string(),
  inputs: z.array(TensorSpec),
  outputs: z.array(TensorSpec),
});

/** Open Inference: model metadata. */
export const modelMetadata = operation({
  id: "v2.model",
  method: "GET",
  path: "/v2/models/{name}",
  scope: "predict",
  served: "gateway",
  summary: "Show a served model's tensors (Open Inference Protocol v2)",
  params: ModelParams,
  query: Nothing,
  body: { kind: "none" },
  response: { kind: "json", status: 200, schema: ModelMetadata },
  errors: ["not-found"],
});

/** Open Inference: metadata of one version. */
export const versionMetadata = operation({
  ...modelMetadata,
  id: "v2.version",
  path: "/v2/models/{name}/versions/{version}",
  summary: "Show a served version's tensors (Open Inference Protocol v2)",
  params: VersionParams,
});

/** Open Inference: model readiness. */
export const modelReady = operation({
  id: "v2.model-ready",
  method: "GET",
  path: "/v2/models/{name}/ready",
  scope: "predict",
  served: "gateway",
  summary: "Say whether a served model is ready (Open Inference Protocol v2)",
  params: ModelParams,
  query: Nothing,
  body: { kind: "none" },
  response: { kind: "json", status: 200, schema: z.object({ name: z.string(), ready: z.boolean() }) },
  errors: ["not-found", "endpoint-not-ready"],
});

/** Open Inference: readiness of one version. */
export const versionReady = operation({
  ...modelReady,
  id: "v2.version-ready",
  path: "/v2/models/{name}/versions/{version}/ready",
  summary: "Say whether a served version is ready (Open Inference Protocol v2)",
  params: VersionParams,
});

const ModelTensorConfig = z.object({ name: z.string(), data_type: z.string(), dims: z.array(z.int()) });

/** Triton's model configuration extension. */
export const modelConfig = operation({
  id: "v2.model-config",
  method: "GET",
  path: "/v2/models/{name}/config",
  scope: "predict",
  served: "gateway",
  summary: "Show a served model's configuration (Triton's extension)",
  params: ModelParams,
  query: Nothing,
  body: { kind: "none" },
  response: {
    kind: "json",
    status: 200,
    schema: z.object({
      name: z.string(),
      platform: z.string(),
      backend: z.string(),
      max_batch_size: z.int(),
      input: z.array(ModelTensorConfig),
      output: z.array(ModelTensorConfig),
      instance_group: z.array(z.object({ name: z.string(), kind: z.string(), count: z.int() })),
      dynamic_batching: z.object({ max_queue_delay_microseconds: z.int() }).optional(),
    }),
  },
  errors: ["not-found"],
});

/** Triton's model configuration of one version. */
export const versionConfig = operation({
  ...modelConfig,
  id: "v2.version-config",
  path: "/v2/models/{name}/versions/{version}/config",
  summary: "Show a served version's configuration (Triton's extension)",
  params: VersionParams,
});

const Duration = z.object({ count: z.int(), ns: z.int() });

/** What one served version has done, as Triton's statistics extension tells it. */
export const ModelStatistics = z.object({
  name: z.string(),
  version: z.string(),
  /** Milliseconds since 1970; 0 before the first. */
  last_inference: z.int(),
  /** Rows that were answered. */
  inference_count: z.int(),
  /** Runs that were made. */
  execution_count: z.int(),
  inference_stats: z.object({
    success: Duration,
    fail: Duration,
    queue: Duration,
    compute_input: Duration,
    compute_infer: Duration,
    compute_output: Duration,
    cache_hit: Duration,
    cache_miss: Duration,
  }),
  batch_stats: z.array(
    z.object({ batch_size: z.int(), compute_input: Duration, compute_infer: Duration, compute_output: Duration }),
  ),
});
/** What one served version has done. */
export type ModelStatistics = z.infer<typeof ModelStatistics>;

/** Triton's statistics of all models. */
export const allStatistics = operation({
  id: "v2.stats",
  method: "GET",
  path: "/v2/models/stats",
  scope: "predict",
  served: "gateway",
  summary: "Count what every served model has done (Triton's statistics extension)",
  params: Nothing,
  query: Nothing,
  body: { kind: "none" },
  response: { kind: "json", status: 200, schema: z.object({ model_stats: z.array(ModelStatistics) }) },
  errors: [],
});

/** Triton's statistics of a model. */
export const modelStatistics = operation({
  ...allStatistics,
  id: "v2.model-stats",
  path: "/v2/models/{name}/stats",
  summary: "Count what a served model has done (Triton's statistics extension)",
  params: ModelParams,
  errors: ["not-found"],
});

/** Triton's statistics of one version. */
export const versionStatistics = operation({
  ...modelStatistics,
  id: "v2.version-stats",
  path: "/v2/models/{name}/versions/{version}/stats",
  summary: "Count what a served version has done (Triton's statistics extension)",
  params: VersionParams,
});

/** The served description of one model. */
export const modelOpenApi = operation({
  id: "v2.model-openapi",
  method: "GET",
  path: "/v2/models/{name}/openapi.json",
  scope: "predict",
  served: "gateway",
  summary: "Show a served model's own paths and tensors as OpenAPI 3.1",
  params: ModelParams,
  query: Nothing,
  body: { kind: "none" },
  response: { kind: "json", status: 200, schema: z.record(z.string(), z.unknown()) },
  errors: ["not-found"],
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
