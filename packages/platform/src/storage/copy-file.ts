import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import { writeFailure } from "./atomic-file.ts";

/**
 * Copies a file through to the disk.
 * @returns Size and SHA-256 of the bytes that were copied.
 * @throws PlatformError `disk-full`.
 */
export const copyFileDurably = async (
  from: string,
  to: string,
): Promise<{ readonly bytes: number; readonly sha256: string }> => {
  const hash = createHash("sha256");
  let bytes = 0;
  await mkdir(dirname(to), { recursive: true, mode: 0o700 });
  try {
    await using file = await open(to, "wx", 0o600);
    for await (const chunk of createReadStream(from) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      bytes += chunk.byteLength;
      await file.writeFile(chunk);
    }
    await file.sync();
  } catch (error) {
    throw writeFailure(error);
  }
  return { bytes, sha256: hash.digest("hex") };
};
