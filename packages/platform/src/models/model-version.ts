import type { ArtefactManifest, ModelVersion } from "@modelyard/contracts";
import { type DigestText, PlatformError, timestamp } from "../foundation/index.ts";

/** One immutable version, as it is stored. */
export interface StoredModelVersion {
  readonly id: string;
  readonly model: string;
  readonly version: number;
  readonly digest: DigestText;
  readonly createdAtMs: number;
  readonly bytes: number;
  readonly aliases: readonly string[];
  readonly artefact: ArtefactManifest;
}

/** Alias that a model's first version gets. */
export const firstAlias = "champion";

/** A version as clients see it. */
export const toModelVersion = (stored: StoredModelVersion): ModelVersion => ({
  model: stored.model,
  version: stored.version,
  digest: stored.digest,
  createdAt: timestamp(stored.createdAtMs),
  bytes: stored.bytes,
  aliases: [...stored.aliases],
  artefact: stored.artefact,
});

/** A reference `name@alias` or `name@version` in its parts. */
export const parseReference = (reference: string): { readonly model: string; readonly selector: string } => {
  const at = reference.lastIndexOf("@");
  return { model: reference.slice(0, at), selector: reference.slice(at + 1) };
};

/** Whether a selector is a version's number. */
export const isVersionNumber = (selector: string): boolean => /^[1-9][0-9]{0,8}$/.test(selector);

/**
 * Refuses alias names that would be read as something else.
 * @throws PlatformError `alias-invalid`.
 */
export const checkAlias = (alias: string): void => {
  if (!/^[0-9]+$/.test(alias) && alias !== "latest") return;
  throw new PlatformError(
    "alias-invalid",
    `"${alias}" cannot be an alias: numbers name versions and "latest" is reserved. Choose a word such as champion.`,
  );
};
