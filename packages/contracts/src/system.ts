import { z } from "zod";
import { Nothing } from "./names.ts";
import { operation } from "./operation.ts";

/** Tells that the gateway runs. */
export const healthz = operation({
  id: "system.healthz",
  method: "GET",
  path: "/healthz",
  scope: "public",
  served: "gateway",
  summary: "Say whether the process runs",
  params: Nothing,
  query: Nothing,
  body: { kind: "none" },
  response: { kind: "json", status: 200, schema: z.object({ status: z.literal("ok") }) },
  errors: [],
});

/** Tells whether the platform can take requests. */
export const readyz = operation({
  id: "system.readyz",
  method: "GET",
  path: "/readyz",
  scope: "public",
  served: "gateway",
  summary: "Say whether requests can be taken: routes are known",
  params: Nothing,
  query: Nothing,
  body: { kind: "none" },
  response: {
    kind: "json",
    status: 200,
    schema: z.object({ status: z.literal("ready"), controlPlane: z.enum(["up", "down"]) }),
  },
  errors: ["control-plane-unavailable"],
});

/** Prometheus metrics of the gateway. They count for all workspaces and name their keys, so no tenant reads them. */
export const metrics = operation({
  id: "system.metrics",
  method: "GET",
  path: "/metrics",
  scope: "installation",
  served: "gateway",
  summary: "Show metrics in Prometheus' text format",
  params: Nothing,
  query: Nothing,
  body: { kind: "none" },
  response: { kind: "text", status: 200, contentType: "text/plain; version=0.0.4; charset=utf-8" },
  errors: [],
});

/** Who the key is and which platform answers. */
export const whoami = operation({
  id: "system.whoami",
  method: "GET",
  path: "/api/v1/system",
  scope: "system:read",
  served: "control-plane",
  summary: "Show the platform's version and what the key may do",
  params: Nothing,
  query: Nothing,
  body: { kind: "none" },
  response: {
    kind: "json",
    status: 200,
    schema: z.object({
      version: z.string(),
      workspace: z.string(),
      key: z.object({ id: z.string(), name: z.string(), scopes: z.array(z.string()) }),
    }),
  },
  errors: [],
});

/** The OpenAPI document. */
export const openApi = operation({
  id: "system.openapi",
  method: "GET",
  path: "/api/v1/openapi.json",
  scope: "public",
  served: "control-plane",
  summary: "Show this API as OpenAPI 3.1",
  params: Nothing,
  query: Nothing,
  body: { kind: "none" },
  response: { kind: "json", status: 200, schema: z.record(z.string(), z.unknown()) },
  errors: [],
});
