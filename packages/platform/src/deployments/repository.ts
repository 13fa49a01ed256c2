import type { RepositoryModel } from "@modelyard/contracts";
import type { Clock } from "../foundation/index.ts";
import type { ModelStore } from "../models/index.ts";
import { createEndpoint } from "./create-endpoint.ts";
import { type EndpointView, isFailing, stateOf } from "./endpoint.ts";
import type { EndpointStore } from "./endpoint-store.ts";
import type { EndpointReconciler } from "./reconcile-endpoints.ts";

const pageSize = 500;

const states = {
  ready: "READY",
  degraded: "READY",
  deploying: "LOADING",
  failed: "UNAVAILABLE",
  unloaded: "UNAVAILABLE",
} as const;

const toRepositoryModel = (view: EndpointView): RepositoryModel => {
  const endpointState = stateOf(view);
  const draining = endpointState === "unloaded" && view.replicas.length > 0;
  const state = draining ? "UNLOADING" : states[endpointState];
  const failing = view.replicas.find(isFailing)?.observed?.reason ?? "";
  return {
    name: view.endpoint.name,
    version: String(view.live ?? view.desiredVersion),
    state,
    reason: endpointState === "unloaded" ? "unloaded" : state === "READY" ? "" : failing,
  };
};

/** Every endpoint of a workspace as Triton's repository index lists models. */
export const repositoryIndex = async (
  { endpoints, reconciler }: { readonly endpoints: EndpointStore; readonly reconciler: EndpointReconciler },
  workspaceId: string,
  { ready = false }: { readonly ready?: boolean | undefined },
): Promise<RepositoryModel[]> => {
  const models: RepositoryModel[] = [];
  let after: string | undefined;
  do {
    const page = await endpoints.listEndpoints(workspaceId, {
      limit: pageSize,
      ...(after === undefined ? {} : { after }),
    });
    for (const endpoint of page.items) models.push(toRepositoryModel(await reconciler.view(endpoint)));
    after = page.next ?? undefined;
  } while (after !== undefined);
  return ready ? models.filter(({ state }) => state === "READY") : models;
};

/**
 * Serves an endpoint again, or makes one of that name for the model of that name.
 * @throws PlatformError `not-found` when there is neither.
 */
export const loadEndpoint = async (
  dependencies: { readonly endpoints: EndpointStore; readonly models: ModelStore; readonly clock: Clock },
  workspaceId: string,
  name: string,
): Promise<void> => {
  if (await dependencies.endpoints.setLoaded(workspaceId, name, true)) return;
  const request = { name, model: `${name}@champion`, replicas: 1 };
  await createEndpoint(dependencies, { workspaceId, request, once: undefined });
};
