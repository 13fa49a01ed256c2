import { spawnSync } from "node:child_process";
import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

/** A disk that can be filled. */
export interface SmallDisk extends Disposable {
  readonly folder: string;
  /** Takes every byte that is left. */
  fill(): void;
  /** Gives the bytes back. */
  free(): void;
}

/** Mounts a small disk in memory over a folder; `null` where this user may not. */
export const mountSmallDisk = (folder: string, megabytes: number): SmallDisk | null => {
  const { status } = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", folder]);
  if (status !== 0) return null;
  const filler = join(folder, "filler");
  return {
    folder,
    fill: () => {
      const file = openSync(filler, "a");
      try {
        for (let size = 1 << 20; size > 0;) {
          try {
            writeSync(file, Buffer.alloc(size));
          } catch {
            size >>= 1;
          }
        }
      } finally {
        closeSync(file);
      }
    },
    free: () => rmSync(filler, { force: true }),
    [Symbol.dispose]: () => void spawnSync("umount", ["--lazy", folder]),
  };
};
