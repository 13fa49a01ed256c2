import { newIdentifier } from "../foundation/index.ts";
import { hashSecret, newKeyText, parseKeyText } from "./api-key.ts";
import type { KeyDependencies } from "./create-key.ts";

/** Name of the workspace of a fresh installation. */
const defaultWorkspaceName = "default";
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
  const { text, parts } = newKeyText();
  const secret = { prefix: parts.prefix, secretHash: hashSecret(pepper, parts.secret) };
  if (!(await store.replaceSecret(workspace.id, adminKeyName, secret))) {
    const id = newIdentifier("key", nowMs);
    const key = { id, name: adminKeyName, ...secret, scopes: ["admin"] as const };
    await store.addKey(workspace.id, { ...key, createdAtMs: nowMs, expiresAtMs: null });
  }
  return text;
};
