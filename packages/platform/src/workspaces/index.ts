export { bearerKey, type KeyVerifier, verifyKey } from "./api-key.ts";
export { createAuthenticate, unauthenticated } from "./authenticate.ts";
export type { KeyDependencies } from "./create-key.ts";
export { ensureAdminKey } from "./ensure-admin-key.ts";
export { workspaceRoutes } from "./routes.ts";
export type { NewKey, Workspace, WorkspaceStore } from "./workspace-store.ts";
