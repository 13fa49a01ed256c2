import type { Config } from "../config/index.ts";
import { enableFailpoints, systemClock } from "../foundation/index.ts";
import { backUp } from "../storage/back-up.ts";
import type { BackupManifest } from "../storage/backup-manifest.ts";
import { openDataDirectory } from "../storage/data-directory.ts";
import { restore } from "../storage/restore.ts";

/** What a backup or restore has copied. */
export interface CopiedData {
  readonly files: number;
  readonly bytes: number;
  /** When the backup was taken. */
  readonly createdAt: string;
}

const summaryOf = ({ files, createdAt }: BackupManifest): CopiedData => ({
  files: files.length,
  bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
  createdAt,
});

/** Backs a data directory up, running or not. @throws PlatformError as `backUp` in `storage/`. */
export const backUpPlatform = async (config: Config, target: string): Promise<CopiedData> => {
  enableFailpoints(config.failpoints);
  return summaryOf(await backUp(openDataDirectory(config.dataDirectory), target, systemClock));
};

/** Makes the configured data directory from a backup. @throws PlatformError as `restore` in `storage/`. */
export const restorePlatform = async (config: Config, backup: string): Promise<CopiedData> => {
  enableFailpoints(config.failpoints);
  return summaryOf(await restore(backup, config.dataDirectory));
};
