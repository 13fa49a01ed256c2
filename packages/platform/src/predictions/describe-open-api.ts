import { buildOpenApi, type TensorSpec } from "@modelyard/contracts";
import type { RoutedEndpoint } from "../deployments/index.ts";
import { codeVersion } from "../foundation/index.ts";

type Json = Record<string, unknown>;

const elementSchema = (datatype: TensorSpec["datatype"]): Json => {
  if (datatype === "BYTES") return { type: "string" };
  if (datatype === "BOOL") return { type: "boolean" };
  return { type: datatype.startsWith("FP") || datatype === "BF16" ? "number" : "integer" };
};

const shapeSchema = (shape: readonly number[]): Json => ({
  type: "array",
  minItems: shape.length,
  maxItems: shape.length,
  prefixItems: shape.map((size) => (size === -1 ? { type: "integer", minimum: 1 } : { const: size })),
});

const tensorSchema = ({ name, datatype, shape }: TensorSpec): Json => ({
  type: "object",
  title: name,
  required: ["name", "shape", "datatype"],
  properties: {
    name: { const: name },
    shape: shapeSchema(shape),
    datatype: { const: datatype },
    parameters: { type: "object" },
    data: { type: "array", description: "Row-major, flat or nested", items: elementSchema(datatype) },
  },
});

const inferSchemas = ({ name, version, inputs, outputs }: RoutedEndpoint): { request: Json; response: Json } => ({
  request: {
    type: "object",
    required: ["inputs"],
    properties: {
      id: { type: "string" },
      parameters: { type: "object" },
      inputs: {
        type: "array",
        minItems: inputs.length,
        maxItems: inputs.length,
        items: { oneOf: inputs.map(tensorSchema) },
      },
      outputs: {
        type: "array",
        items: { type: "object", required: ["name"], properties: { name: { enum: outputs.map((one) => one.name) } } },
      },
    },
  },
  response: {
    type: "object",
    required: ["model_name", "outputs"],
    properties: {
      model_name: { const: name },
      model_version: { const: String(version ?? 0) },
      id: { type: "string" },
      outputs: { type: "array", items: { oneOf: outputs.map(tensorSchema) } },
    },
  },
});

/** Describes one served model as OpenAPI 3.1: its own paths, and exactly the tensors it takes and gives. */
export const describeOpenApi = (endpoint: RoutedEndpoint): Json => {
  const whole = buildOpenApi(codeVersion) as { readonly paths: Record<string, Json>; readonly components: Json };
  const schemas = inferSchemas(endpoint);
  const paths: Record<string, Json> = {};
  for (const [path, item] of Object.entries(whole.paths)) {
    if (!path.startsWith("/v2/models/{name}") || path.includes("{version}")) continue;
    const text = JSON.stringify(item, (key, value: unknown) =>
      key === "parameters" && Array.isArray(value) ? [] : value,
    );
    paths[path.replace("{name}", endpoint.name)] = JSON.parse(text) as Json;
  }
  const infer = paths[`/v2/models/${endpoint.name}/infer`]?.["post"] as Json | undefined;
  if (infer !== undefined) {
    infer["requestBody"] = { required: true, content: { "application/json": { schema: schemas.request } } };
    const responses = infer["responses"] as Json;
    responses["200"] = { description: "Success", content: { "application/json": { schema: schemas.response } } };
  }
  return {
    openapi: "3.1.0",
    info: { title: endpoint.name, version: String(endpoint.version ?? 0) },
    security: [{ apiKey: [] }],
    paths,
    components: whole.components,
  };
};
