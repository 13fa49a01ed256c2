export { findVersion, resolveReference } from "./find-version.ts";
export type { ModelStore, NewAliasMove, NewModelVersion } from "./model-store.ts";
export { parseReference, type StoredModelVersion } from "./model-version.ts";
export type { AliasMoved } from "./move-alias.ts";
export { registerVersion, type VersionToRegister } from "./register-version.ts";
export { type ModelOperationId, modelRoutes } from "./routes.ts";
