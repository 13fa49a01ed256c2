import { setTimeout as delay } from "node:timers/promises";
import { PlatformError } from "../foundation/index.ts";

const tryEveryMs = 1000;
const patienceMs = 10 * 60 * 1000;

/**
 * Does work that writes; while the disk is full it waits for room and does it again, so that a training outlives a
 * full disk. The work must leave nothing behind when it fails.
 * @param signal Ends the waiting.
 * @throws PlatformError `disk-full` when there is no room after ten minutes or the waiting was ended.
 */
export const awaitRoom = async <T>(work: () => Promise<T>, signal: { readonly aborted: boolean }): Promise<T> => {
  for (let waitedMs = 0; ; waitedMs += tryEveryMs) {
    try {
      return await work();
    } catch (error) {
      const full = error instanceof PlatformError && error.code === "disk-full";
      if (!full || signal.aborted || waitedMs >= patienceMs) throw error;
      await delay(tryEveryMs);
    }
  }
};
