import type { Once, Page, PageRequest } from "../foundation/index.ts";
import type { StoredEndpoint, StoredReplica } from "./endpoint.ts";

/** Knows endpoints and the replicas that should run. Not responsible for what runs. */
export interface EndpointStore {
  /**
   * Adds an endpoint.
   * @returns It; the one that the same request made before, when it did.
   * @throws PlatformError `already-exists` when the workspace has an endpoint of the name, `idempotency-key-reused`,
   * `not-found` when what the same request made before is gone.
   */
  addEndpoint(endpoint: StoredEndpoint, once?: Once): Promise<StoredEndpoint>;
  findEndpoint(workspaceId: string, name: string): Promise<StoredEndpoint | null>;
  /** Endpoints of a workspace, newest first. */
  listEndpoints(workspaceId: string, page: PageRequest): Promise<Page<StoredEndpoint>>;
  /** Endpoints of all workspaces; for the reconciler alone. */
  allEndpoints(): Promise<readonly StoredEndpoint[]>;
  /** Says whether an endpoint should be served; whether there is one. */
  setLoaded(workspaceId: string, name: string, loaded: boolean): Promise<boolean>;
  /** Removes an endpoint and its replicas; whether there was one. */
  removeEndpoint(workspaceId: string, name: string): Promise<boolean>;
  addReplica(replica: StoredReplica): Promise<void>;
  removeReplica(workspaceId: string, id: string): Promise<void>;
  /** Replicas of all workspaces, oldest first; for the reconciler alone. */
  allReplicas(): Promise<readonly StoredReplica[]>;
}
