import { notFound, type Routes } from "../foundation/index.ts";
import { createKey, type KeyDependencies } from "./create-key.ts";

/** Operations of this slice. */
export type WorkspaceOperationId = "keys.create" | "keys.list" | "keys.revoke" | "system.whoami";

/** Answers the operations on keys. */
export const workspaceRoutes = (
  dependencies: KeyDependencies & { readonly codeVersion: string },
): Routes<WorkspaceOperationId> => ({
  "keys.create": async ({ principal, body }) => createKey(dependencies, principal, body),
  "keys.list": async ({ principal, query }) => {
    const page = await dependencies.store.listKeys(principal.workspaceId, query);
    return { items: [...page.items], next: page.next };
  },
  "keys.revoke": async ({ principal, params }) => {
    const key = await dependencies.store.revokeKey(principal.workspaceId, params.id, dependencies.clock.nowMs());
    if (key === null) throw notFound("API key of this id");
    dependencies.onChange();
    return key;
  },
  "system.whoami": async ({ principal }) => ({
    version: dependencies.codeVersion,
    workspace: principal.workspaceName,
    key: { id: principal.keyId, name: principal.keyName, scopes: [...principal.scopes] },
  }),
});
