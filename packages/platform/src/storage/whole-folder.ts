import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { syncFolder } from "./atomic-file.ts";

/**
 * Makes a folder that appears when it is whole: filled under another name beside it, then renamed.
 * @param target Folder that is empty or does not exist.
 * @param fill Fills the folder of the given path; when it fails nothing stays.
 */
export const makeWholeFolder = async <T>(target: string, fill: (folder: string) => Promise<T>): Promise<T> => {
  const unfinished = `${resolve(target)}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true, mode: 0o700 });
  try {
    const made = await fill(unfinished);
    await rename(unfinished, target);
    await syncFolder(dirname(resolve(target)));
    return made;
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw error;
  }
};
