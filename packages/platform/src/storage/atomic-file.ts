import { randomBytes } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { PlatformError } from "../foundation/index.ts";

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
  if (code !== "ENOSPC" && code !== "EDQUOT") return error;
  return new PlatformError("disk-full", "The server's disk is full, so nothing was stored. Free space and try again.", {
    cause: error,
  });
};

/**
 * Replaces a file as a whole: temporary file, fsync, rename, fsync of the folder. A reader sees the old or the new bytes.
 * @throws PlatformError `disk-full` when there is no room; the old file stays.
 */
export const writeFileAtomic = async (
  file: string,
  content: Uint8Array | string,
  options: { readonly mode: number } = { mode: 0o600 },
): Promise<void> => {
  const temporary = `${file}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    const handle = await open(temporary, "wx", options.mode);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
    await syncFolder(dirname(file));
  } catch (error) {
    await rm(temporary, { force: true });
    throw writeFailure(error);
  }
};
