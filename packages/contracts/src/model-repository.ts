import { z } from "zod";
import { Name, Nothing } from "./names.ts";
import { operation } from "./operation.ts";

/** One served model in the repository's index. */
export const RepositoryModel = z.object({
  name: z.string(),
  version: z.string(),
  state: z.enum(["READY", "LOADING", "UNLOADING", "UNAVAILABLE"]),
  /** Why it is not ready; empty when it is. */
  reason: z.string(),
});
/** One served model in the repository's index. */
export type RepositoryModel = z.infer<typeof RepositoryModel>;

/** Triton's model repository extension: index. */
export const repositoryIndex = operation({
  id: "v2.repository-index",
  method: "POST",
  path: "/v2/repository/index",
  scope: "endpoints:read",
  served: "control-plane",
  summary: "List endpoints and whether they are loaded (Triton's repository extension)",
  params: Nothing,
  query: Nothing,
  body: { kind: "json", schema: z.object({ ready: z.boolean().optional() }) },
  response: { kind: "json", status: 200, schema: z.array(RepositoryModel) },
  errors: [],
});

const EndpointParams = z.object({ name: Name });

/** Triton's model repository extension: load. */
export const repositoryLoad = operation({
  id: "v2.repository-load",
  method: "POST",
  path: "/v2/repository/models/{name}/load",
  scope: "endpoints:write",
  served: "control-plane",
  summary: "Load an endpoint again, or serve the model of that name (Triton's repository extension)",
  params: EndpointParams,
  query: Nothing,
  /** Neither configurations nor files are taken from a request: a model is registered first. */
  body: { kind: "json", schema: z.object({ parameters: z.record(z.string(), z.never()).optional() }) },
  response: { kind: "json", status: 200, schema: z.object({ name: z.string(), load: z.literal(true) }) },
  errors: ["not-found"],
});

/** Triton's model repository extension: unload. */
export const repositoryUnload = operation({
  id: "v2.repository-unload",
  method: "POST",
  path: "/v2/repository/models/{name}/unload",
  scope: "endpoints:write",
  served: "control-plane",
  summary: "Stop an endpoint's replicas and keep the endpoint (Triton's repository extension)",
  params: EndpointParams,
  query: Nothing,
  body: {
    kind: "json",
    schema: z.object({ parameters: z.object({ unload_dependents: z.boolean().optional() }).optional() }),
  },
  response: { kind: "json", status: 200, schema: z.object({ name: z.string(), unload: z.literal(true) }) },
  errors: ["not-found"],
});
