import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bearerKey, hashSecret, type KeyVerifier, newKeyText, parseKeyText, verifyKey } from "./api-key.ts";

const pepper = new Uint8Array(32).fill(7);
const fresh = (changes: Partial<KeyVerifier> = {}) => {
  const { text, parts } = newKeyText();
  const verifier: KeyVerifier = {
    id: "key_1",
    name: "ci",
    prefix: parts.prefix,
    secretHash: hashSecret(pepper, parts.secret),
    workspaceId: "ws_1",
    workspaceName: "default",
    scopes: ["predict"],
    expiresAtMs: null,
    revokedAtMs: null,
    ...changes,
  };
  return { text, parts, verifier };
};

describe("API keys", () => {
  it("verify for their own record alone", () => {
    const { text, parts, verifier } = fresh();
    expect(parseKeyText(text)).toEqual(parts);
    expect(verifyKey(parts, verifier, { pepper, nowMs: 5 })).toMatchObject({ keyId: "key_1", workspaceId: "ws_1" });
    expect(verifyKey(fresh().parts, verifier, { pepper, nowMs: 5 })).toBeNull();
    expect(verifyKey(parts, undefined, { pepper, nowMs: 5 })).toBeNull();
    expect(verifyKey(parts, verifier, { pepper: new Uint8Array(32), nowMs: 5 })).toBeNull();
  });

  it("stop at their expiry and at once when revoked", () => {
    const expiring = fresh({ expiresAtMs: 100 });
    expect(verifyKey(expiring.parts, expiring.verifier, { pepper, nowMs: 99 })).not.toBeNull();
    expect(verifyKey(expiring.parts, expiring.verifier, { pepper, nowMs: 100 })).toBeNull();
    const revoked = fresh({ revokedAtMs: 1 });
    expect(verifyKey(revoked.parts, revoked.verifier, { pepper, nowMs: 0 })).toBeNull();
  });

  it("show a typing error by their checksum", () => {
    const { text } = fresh();
    fc.assert(
      fc.property(fc.integer({ min: 3, max: text.length - 1 }), (at) => {
        const other = text[at] === "a" ? "b" : "a";
        const changed = text.slice(0, at) + other + text.slice(at + 1);
        expect(changed === text || parseKeyText(changed) === null).toBe(true);
      }),
    );
  });

  it("are read from nothing but a bearer header", () => {
    const { text, parts } = fresh();
    expect(bearerKey(`Bearer ${text}`)).toEqual(parts);
    expect(bearerKey(`bearer ${text}`)).toEqual(parts);
    for (const header of [undefined, "", text, `Basic ${text}`, `Bearer ${text} x`, `Bearer ${"a".repeat(500)}`]) {
      expect(bearerKey(header)).toBeNull();
    }
    fc.assert(fc.property(fc.string(), (header) => bearerKey(header) === null));
  });
});
