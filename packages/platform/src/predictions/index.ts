export { createHostGuard } from "./host-guard.ts";
export { createGatewayMetrics } from "./gateway-metrics.ts";
export { createPassThrough } from "./pass-through.ts";
export { followRoutes, internalHeader } from "./routing-feed.ts";
export { RoutingTable } from "./routing-table.ts";
export { serveGateway } from "./serve-gateway.ts";
export { serveReplica } from "./serve-replica.ts";
