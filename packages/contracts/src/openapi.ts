import type { z } from "zod";
import { Components, type Json } from "./components.ts";
import { type ErrorCode, errorCatalogue } from "./errors.ts";
import type { Operation } from "./operation.ts";
import { allOperations } from "./operations.ts";
import { Problem } from "./problem.ts";

/** Codes that any operation with a key may answer. */
const commonErrors: readonly ErrorCode[] = ["invalid-input", "unauthenticated", "forbidden", "internal"];

const parametersOf = (schema: z.ZodObject, place: "path" | "query", components: Components): Json[] =>
  Object.entries(schema.shape).map(([name, field]) => ({
    name,
    in: place,
    required: place === "path" || !(field as z.ZodType).safeParse(undefined).success,
    schema: components.of(field as z.ZodType, "input"),
  }));

const idempotencyKey: Json = {
  name: "Idempotency-Key",
  in: "header",
  required: false,
  description: "Sent again with the same key, the request has its effect once and the same answer",
  schema: { type: "string", minLength: 1, maxLength: 200 },
};

const bodyOf = ({ body }: Operation, components: Components): Json => {
  if (body.kind === "none") return {};
  if (body.kind === "json") {
    return {
      requestBody: { required: true, content: { "application/json": { schema: components.of(body.schema, "input") } } },
    };
  }
  if (body.kind === "multipart") {
    const schema = {
      type: "object",
      required: ["options"],
      properties: {
        options: components.of(body.schema, "input"),
        files: { type: "array", items: { type: "string", contentMediaType: "application/octet-stream" } },
      },
    };
    return { requestBody: { required: true, content: { "multipart/form-data": { schema } } } };
  }
  const contents = body.contentTypes.map((type) => [
    type,
    type === "application/json" && body.schema !== undefined ? { schema: components.of(body.schema, "input") } : {},
  ]);
  return { requestBody: { required: true, content: Object.fromEntries(contents) as Json } };
};

const successOf = ({ response }: Operation, components: Components): Json => {
  const described = (content?: Json): Json => ({
    description: "Success",
    ...(content === undefined ? {} : { content }),
  });
  switch (response.kind) {
    case "none":
      return described();
    case "json":
      return described({ "application/json": { schema: components.of(response.schema, "output") } });
    case "events":
      return described({ "text/event-stream": { schema: components.of(response.schema, "output") } });
    case "bytes":
    case "text":
      return described({ [response.contentType]: {} });
  }
};

const errorsOf = (operation: Operation): Json => {
  const common = operation.scope === "public" ? [] : commonErrors;
  const once: readonly ErrorCode[] = operation.once === true ? ["idempotency-key-reused"] : [];
  const codes = [...new Set([...common, ...once, ...operation.errors])];
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of codes) {
    const { status } = errorCatalogue[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const content = { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } };
  return Object.fromEntries(
    [...byStatus].map(([status, list]) => [String(status), { description: list.join(", "), content }]),
  );
};

const operationOf = (operation: Operation, components: Components): Json => ({
  operationId: operation.id,
  summary: operation.summary,
  tags: [operation.id.split(".")[0]],
  ...(operation.scope === "public" ? { security: [] } : { "x-scope": operation.scope }),
  parameters: [
    ...parametersOf(operation.params, "path", components),
    ...parametersOf(operation.query, "query", components),
    ...(operation.once === true ? [idempotencyKey] : []),
  ],
  ...bodyOf(operation, components),
  responses: { [String(operation.response.status)]: successOf(operation, components), ...errorsOf(operation) },
});

/**
 * Describes the whole API as OpenAPI 3.1, from the operations table alone.
 * @param version Version of the platform that answers.
 */
export const buildOpenApi = (version: string): Json => {
  const components = new Components();
  components.of(Problem, "output");
  const paths: Record<string, Json> = {};
  for (const operation of allOperations) {
    paths[operation.path] = {
      ...paths[operation.path],
      [operation.method.toLowerCase()]: operationOf(operation, components),
    };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Modelyard",
      version,
      summary: "Data to a model to a service, in one self-hosted system",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    security: [{ apiKey: [] }],
    paths,
    components: {
      securitySchemes: { apiKey: { type: "http", scheme: "bearer" } },
      schemas: components.all(),
    },
  };
};
