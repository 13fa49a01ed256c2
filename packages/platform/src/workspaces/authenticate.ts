import { PlatformError, type Principal } from "../foundation/index.ts";
import { bearerKey, verifyKey } from "./api-key.ts";
import type { KeyDependencies } from "./create-key.ts";

const touchEveryMs = 60_000;

/** The one answer to every missing or wrong key, so that it tells nothing about which keys exist. */
export const unauthenticated = (): PlatformError =>
  new PlatformError(
    "unauthenticated",
    "Send a valid API key as `Authorization: Bearer <key>`. `modelyard keys create` makes one.",
  );

/** Finds out who sends a request, from its `Authorization` header alone. */
export type Authenticate = (authorization: string | undefined) => Promise<Principal>;

/**
 * Makes the check of keys against the store.
 * @throws PlatformError (from the check) `unauthenticated` whatever is wrong with the key.
 */
export const createAuthenticate = ({ store, clock, pepper }: Omit<KeyDependencies, "onChange">): Authenticate => {
  const touched = new Map<string, number>();
  return async (authorization) => {
    const key = bearerKey(authorization);
    if (key === null) throw unauthenticated();
    const nowMs = clock.nowMs();
    const principal = verifyKey(key, await store.findVerifier(key.prefix), { pepper, nowMs });
    if (principal === null) throw unauthenticated();
    if (nowMs - (touched.get(principal.keyId) ?? 0) >= touchEveryMs) {
      touched.set(principal.keyId, nowMs);
      // When a key was used is worth less than the answer: a full disk refuses no reader.
      await store.touchKey(principal.keyId, nowMs).catch(() => undefined);
    }
    return principal;
  };
};
