import { type Clock, failpoint, notFound, type Routes } from "../foundation/index.ts";
import type { ModelStore } from "../models/index.ts";
import { createEndpoint } from "./create-endpoint.ts";
import { loadEndpoint, repositoryIndex } from "./repository.ts";
import { toEndpoint } from "./endpoint.ts";
import type { EndpointStore } from "./endpoint-store.ts";
import type { EndpointReconciler } from "./reconcile-endpoints.ts";

/** Operations of this slice. */
export type DeploymentOperationId =
  | "endpoints.create"
  | "endpoints.list"
  | "endpoints.show"
  | "endpoints.delete"
  | "v2.repository-index"
  | "v2.repository-load"
  | "v2.repository-unload";

/** What the operations on endpoints need. */
export interface DeploymentDependencies {
  readonly endpoints: EndpointStore;
  readonly models: ModelStore;
  readonly clock: Clock;
  readonly reconciler: EndpointReconciler;
}

/** Answers the operations on endpoints. */
export const deploymentRoutes = (dependencies: DeploymentDependencies): Routes<DeploymentOperationId> => {
  const { endpoints, reconciler } = dependencies;
  return {
    "endpoints.create": async ({ principal, body, once }) => {
      const created = await createEndpoint(dependencies, { workspaceId: principal.workspaceId, request: body, once });
      reconciler.wake();
      return toEndpoint(await reconciler.view(created));
    },
    "endpoints.list": async ({ principal, query }) => {
      const page = await endpoints.listEndpoints(principal.workspaceId, query);
      const views = await Promise.all(page.items.map((endpoint) => reconciler.view(endpoint)));
      return { items: views.map(toEndpoint), next: page.next };
    },
    "endpoints.show": async ({ principal, params }) => {
      const endpoint = await endpoints.findEndpoint(principal.workspaceId, params.name);
      if (endpoint === null) throw notFound(`endpoint "${params.name}"`);
      return toEndpoint(await reconciler.view(endpoint));
    },
    "endpoints.delete": async ({ principal, params }) => {
      if (!(await endpoints.removeEndpoint(principal.workspaceId, params.name))) {
        throw notFound(`endpoint "${params.name}"`);
      }
      failpoint("endpoint.removed");
      reconciler.wake();
      return undefined;
    },
    "v2.repository-index": async ({ principal, body }) => repositoryIndex(dependencies, principal.workspaceId, body),
    "v2.repository-load": async ({ principal, params }) => {
      await loadEndpoint(dependencies, principal.workspaceId, params.name);
      reconciler.wake();
      return { name: params.name, load: true };
    },
    "v2.repository-unload": async ({ principal, params }) => {
      if (!(await endpoints.setLoaded(principal.workspaceId, params.name, false))) {
        throw notFound(`endpoint "${params.name}"`);
      }
      reconciler.wake();
      return { name: params.name, unload: true };
    },
  };
};
