import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { writeFileAtomic } from "./atomic-file.ts";
import type { DataDirectory } from "./data-directory.ts";

const pepperBytes = 32;

/** A file's bytes; `null` when there is none. */
export const readOrNull = async (file: string): Promise<Buffer | null> => {
  try {
    return await readFile(file);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
};

/** The secret that goes into every key's hash; `null` before the control plane has made it at its first start. */
export const readPepper = (directory: DataDirectory): Promise<Uint8Array | null> => readOrNull(directory.pepper);

/** The secret of {@link readPepper}, made when there is none. For the control plane alone: there must be only one. */
export const readOrMakePepper = async (directory: DataDirectory): Promise<Uint8Array> => {
  const known = await readPepper(directory);
  if (known !== null) return known;
  const fresh = randomBytes(pepperBytes);
  await writeFileAtomic(directory.pepper, fresh, "pepper");
  return fresh;
};

/** Lays a working admin key into the data directory when `ensure` says that the one there does not work. */
export const storeAdminKey = async (
  directory: DataDirectory,
  ensure: (current: string | null) => Promise<string | null>,
): Promise<void> => {
  const current = await readOrNull(directory.adminKey);
  const fresh = await ensure(current === null ? null : current.toString("utf8"));
  if (fresh !== null) await writeFileAtomic(directory.adminKey, `${fresh}\n`, "admin-key");
};
