export type { StoredEndpoint, StoredReplica } from "./endpoint.ts";
export type { EndpointStore } from "./endpoint-store.ts";
export { EndpointReconciler, type ReconcileDependencies } from "./reconcile-endpoints.ts";
export type { ObservedReplica, ReplicaEngine, ReplicaSpec } from "./replica-engine.ts";
export { type DeploymentOperationId, deploymentRoutes } from "./routes.ts";
export { parseRoutingSnapshot, type RoutedEndpoint, type RoutingSnapshot } from "./routing-snapshot.ts";
