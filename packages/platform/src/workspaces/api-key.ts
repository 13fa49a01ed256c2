import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { crc32 } from "node:zlib";
import type { Scope } from "@modelyard/contracts";
import type { Principal } from "../foundation/index.ts";

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const idLength = 8;
const secretLength = 43;
const checksumLength = 6;
const pattern = /^my_([0-9A-Za-z]{8})_([0-9A-Za-z]{43})_([0-9A-Za-z]{6})$/;

/** What a process must know to check a key: everything but the secret. */
export interface KeyVerifier {
  readonly id: string;
  readonly name: string;
  /** `my_` and the key's public part. */
  readonly prefix: string;
  /** HMAC-SHA-256 of the secret under the installation's pepper, hexadecimal. */
  readonly secretHash: string;
  readonly workspaceId: string;
  readonly workspaceName: string;
  readonly scopes: readonly Scope[];
  readonly expiresAtMs: number | null;
  readonly revokedAtMs: number | null;
}

/** A key's text in its parts; the checksum was right. */
export interface KeyText {
  readonly prefix: string;
  readonly secret: string;
}

const randomText = (length: number): string => {
  let text = "";
  while (text.length < length) {
    for (const byte of randomBytes(length)) {
      // Bytes of 248 and above would favour the alphabet's first letters.
      if (byte < 248 && text.length < length) text += alphabet.charAt(byte % 62);
    }
  }
  return text;
};

const checksum = (text: string): string => {
  let rest = crc32(text);
  let digits = "";
  for (let i = 0; i < checksumLength; i++) {
    digits = alphabet.charAt(rest % 62) + digits;
    rest = Math.floor(rest / 62);
  }
  return digits;
};

/** Makes a fresh key: `my_<id>_<secret>_<checksum>`, 43 characters of secret (256 bits). */
export const newKeyText = (): { readonly text: string; readonly parts: KeyText } => {
  const prefix = `my_${randomText(idLength)}`;
  const secret = randomText(secretLength);
  return { text: `${prefix}_${secret}_${checksum(`${prefix}_${secret}`)}`, parts: { prefix, secret } };
};

/** Takes a key's text apart, or `null` when it is no key: a typing error is found without a look at the store. */
export const parseKeyText = (text: string): KeyText | null => {
  const [, id, secret, sum] = pattern.exec(text) ?? [];
  if (id === undefined || secret === undefined || sum !== checksum(`my_${id}_${secret}`)) return null;
  return { prefix: `my_${id}`, secret };
};

/** What is stored in place of a secret. */
export const hashSecret = (pepper: Uint8Array, secret: string): string =>
  createHmac("sha256", pepper).update(secret).digest("hex");

/** The key of an `Authorization: Bearer …` header, or `null`. */
export const bearerKey = (header: string | undefined): KeyText | null => {
  if (header === undefined || header.length > 200) return null;
  const [, text] = /^Bearer +(\S+)$/i.exec(header) ?? [];
  return text === undefined ? null : parseKeyText(text);
};

/**
 * Who a key stands for, or `null` when it is wrong, revoked or expired.
 * @param verifier The record of the key's prefix; the same work is done when there is none, so that time tells nothing.
 */
export const verifyKey = (
  key: KeyText,
  verifier: KeyVerifier | undefined,
  context: { readonly pepper: Uint8Array; readonly nowMs: number },
): Principal | null => {
  const given = Buffer.from(hashSecret(context.pepper, key.secret), "hex");
  const wanted = verifier === undefined ? Buffer.alloc(given.length) : Buffer.from(verifier.secretHash, "hex");
  const same = wanted.length === given.length && timingSafeEqual(given, wanted);
  if (verifier === undefined || !same || verifier.revokedAtMs !== null) return null;
  if (verifier.expiresAtMs !== null && verifier.expiresAtMs <= context.nowMs) return null;
  return {
    workspaceId: verifier.workspaceId,
    workspaceName: verifier.workspaceName,
    keyId: verifier.id,
    keyName: verifier.name,
    scopes: verifier.scopes,
  };
};
