import type { RunFolders } from "./run-folder.ts";
import type { RunStore } from "./run-store.ts";

/**
 * Removes folders whose run was never queued, because the process died in between. For the start of the process,
 * before the first request: a run that is being queued would look the same.
 * @returns How many were removed.
 */
export const sweepRuns = async (runs: RunStore, folders: RunFolders): Promise<number> => {
  const unknown = await runs.unknownRuns(await folders.list());
  for (const id of unknown) await folders.remove(id);
  return unknown.length;
};
