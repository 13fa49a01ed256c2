export { resolveReference } from "./find-version.ts";
export type { ModelStore, NewAliasMove, NewModelVersion } from "./model-store.ts";
export { type StoredModelVersion } from "./model-version.ts";
export type { AliasMoved } from "./move-alias.ts";
export { registerVersion } from "./register-version.ts";
export { modelRoutes } from "./routes.ts";
