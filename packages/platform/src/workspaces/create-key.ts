import { allows, type ApiKey, type Scope } from "@modelyard/contracts";
import { type Clock, failpoint, newIdentifier, PlatformError, type Principal } from "../foundation/index.ts";
import { hashSecret, newKeyText } from "./api-key.ts";
import type { NewKey, WorkspaceStore } from "./workspace-store.ts";

/** What the keys' use cases need. */
export interface KeyDependencies {
  readonly store: WorkspaceStore;
  readonly clock: Clock;
  /** Secret of this installation that goes into every key's hash. */
  readonly pepper: Uint8Array;
  /** Told when keys were made or revoked. */
  readonly onChange: () => void;
}

/** A key to make. */
export interface KeyRequest {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly expiresInDays?: number | undefined;
  /** Member whose role bounds it. */
  readonly member?: string | undefined;
}

const dayMs = 24 * 60 * 60 * 1000;

/** Makes a key's text, and what is stored of it. */
export const makeKey = (
  { clock, pepper }: Pick<KeyDependencies, "clock" | "pepper">,
  request: KeyRequest,
): { readonly text: string; readonly key: NewKey } => {
  const nowMs = clock.nowMs();
  const { text, parts } = newKeyText();
  const key = {
    id: newIdentifier("key", nowMs),
    name: request.name,
    prefix: parts.prefix,
    secretHash: hashSecret(pepper, parts.secret),
    scopes: [...new Set(request.scopes)],
    createdAtMs: nowMs,
    expiresAtMs: request.expiresInDays === undefined ? null : nowMs + request.expiresInDays * dayMs,
    memberName: request.member ?? null,
  };
  return { text, key };
};

/** @throws PlatformError `forbidden` when a scope exceeds the principal's. */
export const checkScopes = (principal: Principal, scopes: readonly Scope[]): void => {
  const beyond = scopes.filter((scope) => !allows(principal.scopes, scope));
  if (beyond.length === 0) return;
  throw new PlatformError(
    "forbidden",
    `The API key "${principal.keyName}" does not hold ${beyond.join(", ")} and cannot hand it on. ` +
      "Ask for fewer scopes, or use a key that holds them.",
  );
};

/**
 * Makes a key. A key cannot make one that may do more than itself.
 * @throws PlatformError `forbidden` when a scope exceeds the maker's, `already-exists` when the name is taken, `not-found`
 * without the member.
 */
export const createKey = async (
  dependencies: KeyDependencies,
  principal: Principal,
  request: KeyRequest,
): Promise<ApiKey & { readonly key: string }> => {
  checkScopes(principal, request.scopes);
  const { text, key } = makeKey(dependencies, request);
  const stored = await dependencies.store.addKey(principal.workspaceId, key);
  failpoint("key.added");
  dependencies.onChange();
  return { ...stored, key: text };
};
