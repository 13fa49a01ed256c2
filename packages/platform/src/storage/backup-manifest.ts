import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { PlatformError } from "../foundation/index.ts";

const plainPath = /^[\w-][\w.-]*(?:\/[\w-][\w.-]*)*$/;

/** One file of a backup; its path is the one below the data directory. */
export interface BackupFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** What a backup holds: every file with its size and digest. Written last, so a backup without it is none. */
export interface BackupManifest {
  readonly format: 1;
  readonly createdAt: string;
  readonly codeVersion: string;
  readonly files: readonly BackupFile[];
}

const schema: z.ZodType<BackupManifest> = z.object({
  format: z.literal(1),
  createdAt: z.string(),
  codeVersion: z.string(),
  files: z.array(
    z.object({ path: z.string().regex(plainPath), bytes: z.int().min(0), sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
  ),
});

/** The one way to say that a backup cannot be used. */
export const unusable = (why: string, cause?: unknown): PlatformError =>
  new PlatformError(
    "backup-invalid",
    `The backup cannot be used: ${why}. Nothing was restored. Take another backup, or copy this one again.`,
    cause === undefined ? {} : { cause },
  );

/** Name of the manifest in a backup's folder. */
export const manifestName = "manifest.json";

/** Reads the manifest of a backup. @throws PlatformError `backup-invalid`. */
export const readBackupManifest = async (folder: string): Promise<BackupManifest> => {
  const text = await readFile(join(folder, manifestName), "utf8").catch((error: unknown) => {
    throw unusable("it has no manifest, so it was never finished", error);
  });
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw unusable("its manifest is not one that this version knows", error);
  }
};
