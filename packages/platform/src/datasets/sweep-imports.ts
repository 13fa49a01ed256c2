import type { BlobLedger } from "./blob-ledger.ts";
import type { DatasetStore } from "./dataset-store.ts";

/**
 * Undoes imports that a dying process left half done. For the start of the process, before the first request: an
 * import under way would look the same.
 * @returns How many were undone.
 */
export const sweepImports = async (dependencies: {
  readonly store: DatasetStore;
  readonly ledger: BlobLedger;
}): Promise<number> => {
  let swept = 0;
  for (const workspaceId of await dependencies.store.workspacesWithUnfinishedImports()) {
    for (const versionId of await dependencies.store.unfinishedImports(workspaceId)) {
      await dependencies.ledger.release({ workspaceId, versionId });
      swept++;
    }
  }
  return swept;
};
