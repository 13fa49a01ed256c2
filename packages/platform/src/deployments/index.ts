export type { StoredEndpoint, StoredReplica } from "./endpoint.ts";
export type { EndpointStore } from "./endpoint-store.ts";
export { EndpointReconciler } from "./reconcile-endpoints.ts";
export type { ObservedReplica, ReplicaEngine, ReplicaSpec } from "./replica-engine.ts";
export { deploymentRoutes } from "./routes.ts";
export { parseRoutingSnapshot, type RoutedEndpoint, type RoutingSnapshot } from "./routing-snapshot.ts";
