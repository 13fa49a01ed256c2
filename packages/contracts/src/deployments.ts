import { z } from "zod";
import { identifier, ModelReference, Name, Nothing, pageOf, PageQuery, Timestamp, VersionNumber } from "./names.ts";
import { operation } from "./operation.ts";

/** States of a replica: `starting` loads and warms up, `ready` answers, `draining` finishes what it has. */
export const ReplicaState = z.enum(["starting", "ready", "draining", "failed"]);

/** One serving process as it is observed. */
export const Replica = z.object({
  id: identifier("rep"),
  version: VersionNumber,
  state: ReplicaState,
  restarts: z.int(),
  /** Why it is not ready, when it failed. */
  reason: z.string().nullable(),
  startedAt: Timestamp.nullable(),
});
/** One serving process as it is observed. */
export type Replica = z.infer<typeof Replica>;

/** States of an endpoint: `ready` when the version its reference names answers everywhere, `unloaded` on demand. */
export const EndpointState = z.enum(["deploying", "ready", "degraded", "failed", "unloaded"]);

/** A stable name under which a model answers, and the deployment behind it. */
export const Endpoint = z.object({
  name: Name,
  /** What it follows, e.g. `fashion@champion`. */
  model: ModelReference,
  state: EndpointState,
  /** Version that takes the traffic now; `null` before the first is ready. */
  version: VersionNumber.nullable(),
  desiredVersion: VersionNumber,
  desiredReplicas: z.int(),
  replicas: z.array(Replica),
  createdAt: Timestamp,
  /** Paths to call. */
  paths: z.object({ predict: z.string(), infer: z.string() }),
});
/** A stable name under which a model answers. */
export type Endpoint = z.infer<typeof Endpoint>;

/** Request of `endpoints.create`. */
export const CreateEndpoint = z.strictObject({
  name: Name,
  model: ModelReference,
  replicas: z.int().min(1).max(16).default(1),
});
/** Request of `endpoints.create`. */
export type CreateEndpoint = z.infer<typeof CreateEndpoint>;

const EndpointParams = z.object({ name: Name });

/** Creates an endpoint. */
export const createEndpoint = operation({
  id: "endpoints.create",
  method: "POST",
  path: "/api/v1/endpoints",
  scope: "endpoints:write",
  served: "control-plane",
  summary: "Deploy a model version or alias behind a stable name",
  params: Nothing,
  query: Nothing,
  body: { kind: "json", schema: CreateEndpoint },
  response: { kind: "json", status: 201, schema: Endpoint },
  errors: ["not-found", "already-exists"],
  once: true,
});

/** Lists endpoints. */
export const listEndpoints = operation({
  id: "endpoints.list",
  method: "GET",
  path: "/api/v1/endpoints",
  scope: "endpoints:read",
  served: "control-plane",
  summary: "List endpoints with their state",
  params: Nothing,
  query: PageQuery,
  body: { kind: "none" },
  response: { kind: "json", status: 200, schema: pageOf(Endpoint) },
  errors: [],
});

/** Shows an endpoint. */
export const showEndpoint = operation({
  id: "endpoints.show",
  method: "GET",
  path: "/api/v1/endpoints/{name}",
  scope: "endpoints:read",
  served: "control-plane",
  summary: "Show an endpoint, its replicas and the version that answers",
  params: EndpointParams,
  query: Nothing,
  body: { kind: "none" },
  response: { kind: "json", status: 200, schema: Endpoint },
  errors: ["not-found"],
});

/** Deletes an endpoint. */
export const deleteEndpoint = operation({
  id: "endpoints.delete",
  method: "DELETE",
  path: "/api/v1/endpoints/{name}",
  scope: "endpoints:write",
  served: "control-plane",
  summary: "Delete an endpoint; requests under way are finished first",
  params: EndpointParams,
  query: Nothing,
  body: { kind: "none" },
  response: { kind: "none", status: 204 },
  errors: ["not-found"],
});
