import { hashSecret, parseKeyText } from "./api-key.ts";
import { type KeyDependencies, makeKey } from "./create-key.ts";

/** Name of the workspace of a fresh installation. */
export const defaultWorkspaceName = "default";
const adminKeyName = "admin";

/**
 * Makes sure that there is a default workspace and that the key in the owner's hands opens it.
 * @param current The key that lies in the data directory, `null` when there is none.
 * @returns The key to lay there instead, or `null` when the current one works.
 */
export const ensureAdminKey = async (
  { store, clock, pepper }: Omit<KeyDependencies, "onChange">,
  current: string | null,
): Promise<string | null> => {
  const nowMs = clock.nowMs();
  const workspace = await store.ensureWorkspace(defaultWorkspaceName, nowMs);
  const parsed = current === null ? null : parseKeyText(current.trim());
  if (parsed !== null) {
    const verifier = await store.findVerifier(parsed.prefix);
    if (verifier !== undefined && verifier.secretHash === hashSecret(pepper, parsed.secret)) return null;
  }
  const { text, key } = makeKey({ clock, pepper }, { name: adminKeyName, scopes: ["admin", "installation"] });
  if (!(await store.replaceSecret(workspace.id, adminKeyName, key))) await store.addKey(workspace.id, key);
  return text;
};
