import { randomBytes } from "node:crypto";

/** Prefixes of server-made identifiers. */
export type IdentifierPrefix = "ws" | "key" | "ds" | "run" | "rep" | "dep" | "req" | "mv" | "alias" | "mem";

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

/**
 * Makes an unguessable identifier that sorts by creation time: prefix, 10 characters of milliseconds, 16 random ones.
 * @param nowMs Milliseconds since 1970 from the injected clock.
 */
export const newIdentifier = (prefix: IdentifierPrefix, nowMs: number): string => {
  let time = "";
  for (let rest = nowMs, i = 0; i < 10; i++, rest = Math.floor(rest / 32)) time = alphabet.charAt(rest % 32) + time;
  let random = "";
  for (const byte of randomBytes(16)) random += alphabet.charAt(byte % 32);
  return `${prefix}_${time}${random}`;
};
