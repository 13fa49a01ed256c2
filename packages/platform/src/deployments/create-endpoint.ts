import type { CreateEndpoint } from "@modelyard/contracts";
import { type Clock, newIdentifier } from "../foundation/index.ts";
import { type ModelStore, resolveReference } from "../models/index.ts";
import type { StoredEndpoint } from "./endpoint.ts";
import type { EndpointStore } from "./endpoint-store.ts";

/**
 * Creates an endpoint; its replicas start in the background.
 * @throws PlatformError `not-found` when the reference names nothing, `already-exists` when the name is taken.
 */
export const createEndpoint = async (
  {
    endpoints,
    models,
    clock,
  }: { readonly endpoints: EndpointStore; readonly models: ModelStore; readonly clock: Clock },
  workspaceId: string,
  request: CreateEndpoint,
): Promise<StoredEndpoint> => {
  await resolveReference(models, workspaceId, request.model);
  const createdAtMs = clock.nowMs();
  const { name, model, replicas } = request;
  const endpoint = {
    id: newIdentifier("dep", createdAtMs),
    workspaceId,
    name,
    model,
    replicas,
    loaded: true,
    createdAtMs,
  };
  await endpoints.addEndpoint(endpoint);
  return endpoint;
};
