import { createHash } from "node:crypto";

/** `sha256:` and 64 hexadecimal digits. */
export type DigestText = `sha256:${string}`;

const pattern = /^sha256:[0-9a-f]{64}$/;

/** Whether a text is a digest; the only test that lets a string become part of a blob's path. */
export const isDigest = (text: string): text is DigestText => pattern.test(text);

/** Digest of bytes. */
export const digestOf = (bytes: Uint8Array | string): DigestText =>
  `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/**
 * JSON with keys in sorted order and no white space: equal values give equal bytes, so its digest names the value.
 * `undefined` members are left out; numbers must be finite.
 */
export const canonicalJson = (value: unknown): string => {
  if (value === null || typeof value === "boolean" || typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new TypeError("canonical JSON has no form for NaN and infinities");
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value === "object") {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
    return `{${members.join(",")}}`;
  }
  throw new TypeError(`canonical JSON has no form for a ${typeof value}`);
};
