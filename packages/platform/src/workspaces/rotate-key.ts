import type { ApiKey } from "@modelyard/contracts";
import { notFound, type Principal } from "../foundation/index.ts";
import { checkScopes, type KeyDependencies, makeKey } from "./create-key.ts";

const hourMs = 60 * 60 * 1000;

/**
 * Puts a new key in the place of one, with its name, scopes and expiry. The old one works on for the overlap, so that
 * clients can change over one after the other.
 * @throws PlatformError `not-found` when there is no live key of the id, `forbidden` when it may do more than the asker's.
 */
export const rotateKey = async (
  dependencies: KeyDependencies,
  principal: Principal,
  { id, overlapHours }: { readonly id: string; readonly overlapHours: number },
): Promise<ApiKey & { readonly key: string }> => {
  const { store, clock, onChange } = dependencies;
  const old = await store.findKey(principal.workspaceId, id);
  if (old === null) throw notFound("API key of this id");
  checkScopes(principal, old.scopes);
  const { text, key } = makeKey(dependencies, { name: old.name, scopes: old.scopes, member: old.member ?? undefined });
  const stored = await store.replaceKey(principal.workspaceId, {
    id,
    key: { ...key, expiresAtMs: old.expiresAt === null ? null : Date.parse(old.expiresAt) },
    oldUntilMs: clock.nowMs() + overlapHours * hourMs,
  });
  if (stored === null) throw notFound("live API key of this id");
  onChange();
  return { ...stored, key: text };
};
