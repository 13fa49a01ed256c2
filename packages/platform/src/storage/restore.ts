import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { failpoint, PlatformError } from "../foundation/index.ts";
import { type BackupManifest, readBackupManifest, unusable } from "./backup-manifest.ts";
import { copyFileDurably } from "./copy-file.ts";
import { makeWholeFolder } from "./whole-folder.ts";

const refuseUsed = async (target: string): Promise<void> => {
  if (!existsSync(target) || (await readdir(target)).length === 0) return;
  throw new PlatformError(
    "already-exists",
    `${target} is not empty, and a restore never writes over data. Name another folder with --data.`,
  );
};

/**
 * Makes a data directory from a backup, after every file proved its size and digest.
 * @param backup Folder that `backUp` made.
 * @param target Folder that is empty or does not exist; it appears when it is whole.
 * @throws PlatformError `backup-invalid` naming the file that is damaged or missing, `already-exists`, `disk-full`.
 */
export const restore = async (backup: string, target: string): Promise<BackupManifest> => {
  await refuseUsed(target);
  const manifest = await readBackupManifest(backup);
  return makeWholeFolder(target, async (folder) => {
    for (const { path, bytes, sha256 } of manifest.files) {
      const from = join(backup, "data", path);
      if (!existsSync(from)) throw unusable(`the file ${path} is missing`);
      const copied = await copyFileDurably(from, join(folder, path));
      if (copied.bytes !== bytes || copied.sha256 !== sha256) {
        throw unusable(`the file ${path} does not match its digest`);
      }
    }
    failpoint("restore.copied");
    return manifest;
  });
};
