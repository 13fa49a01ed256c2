import type { ApiKey, Workspace as WireWorkspace } from "@modelyard/contracts";
import { newIdentifier } from "../foundation/index.ts";
import { type KeyDependencies, makeKey } from "./create-key.ts";
import { type QuotaChanges, quotasWith, toWorkspace } from "./workspace.ts";

/** Name of a fresh workspace's first key. */
const ownerKeyName = "owner";

/**
 * Makes a workspace with a key that may do everything in it.
 * @throws PlatformError `already-exists` when the name is taken.
 */
export const createWorkspace = async (
  dependencies: KeyDependencies,
  request: { readonly name: string; readonly quotas?: QuotaChanges | undefined },
): Promise<{ readonly workspace: WireWorkspace; readonly key: ApiKey & { readonly key: string } }> => {
  const { store, clock, onChange } = dependencies;
  const createdAtMs = clock.nowMs();
  const workspace = {
    id: newIdentifier("ws", createdAtMs),
    name: request.name,
    createdAtMs,
    quotas: quotasWith(request.quotas ?? {}),
  };
  await store.addWorkspace(workspace);
  const { text, key } = makeKey(dependencies, { name: ownerKeyName, scopes: ["admin"] });
  const stored = await store.addKey(workspace.id, key);
  onChange();
  return { workspace: toWorkspace(workspace, await store.usage(workspace.id)), key: { ...stored, key: text } };
};
