import { randomBytes } from "node:crypto";
import { open, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type AtomicWrite, failpoint, PlatformError } from "../foundation/index.ts";

/** Makes entries of a folder durable: a rename is only safe once the folder is. */
export const syncFolder = async (folder: string): Promise<void> => {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

/** A failed write as a coded error when the disk is full, else as it came. */
export const writeFailure = (error: unknown): unknown => {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code !== "ENOSPC" && code !== "EDQUOT" && code !== "SQLITE_FULL") return error;
  return new PlatformError("disk-full", "The server's disk is full, so nothing was stored. Free space and try again.", {
    cause: error,
  });
};

/** Removes what writers that died left half-written in a folder. For a time in which nobody writes there. */
export const sweepTemporaryFiles = async (folder: string): Promise<void> => {
  const names = await readdir(folder).catch(() => []);
  for (const name of names.filter((name) => name.endsWith(".tmp"))) await rm(join(folder, name), { force: true });
};

/**
 * Replaces a file as a whole: temporary file, fsync, rename, fsync of the folder. A reader sees the old or the new bytes.
 * Its owner alone may read it.
 * @param kind What is written: names the failpoints.
 * @throws PlatformError `disk-full` when there is no room; the old file stays.
 */
export const writeFileAtomic = async (file: string, content: Uint8Array | string, kind: AtomicWrite): Promise<void> => {
  const temporary = `${file}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    const handle = await open(temporary, "wx", 0o600);
    try {
      failpoint(`${kind}.opened`);
      await handle.writeFile(content);
      failpoint(`${kind}.written`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
    failpoint(`${kind}.renamed`);
    await syncFolder(dirname(file));
  } catch (error) {
    await rm(temporary, { force: true });
    throw writeFailure(error);
  }
};
