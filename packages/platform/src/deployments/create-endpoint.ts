import type { CreateEndpoint } from "@modelyard/contracts";
import { type Clock, failpoint, newIdentifier, type Once } from "../foundation/index.ts";
import { type ModelStore, resolveReference } from "../models/index.ts";
import type { StoredEndpoint } from "./endpoint.ts";
import type { EndpointStore } from "./endpoint-store.ts";

/** An endpoint that somebody asks for. */
export interface EndpointRequest {
  readonly workspaceId: string;
  readonly request: CreateEndpoint;
  readonly once: Once | undefined;
}

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
  { workspaceId, request, once }: EndpointRequest,
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
  const added = await endpoints.addEndpoint(endpoint, once);
  failpoint("endpoint.added");
  return added;
};
