import type { Config } from "../config/index.ts";
import { BlobLedger, sweepImports } from "../datasets/index.ts";
import { sweepRuns } from "../experiments/index.ts";
import { codeVersion, systemClock } from "../foundation/index.ts";
import { type DataDirectory, openDataDirectory, sweepAfterControlPlane } from "../storage/data-directory.ts";
import { openDatabase } from "../storage/database.ts";
import { FileBlobStore } from "../storage/file-blob-store.ts";
import { openFileAuditCheckpoints } from "../storage/file-audit-checkpoints.ts";
import { fileRunFolders } from "../storage/file-run-folder.ts";
import { KyselyAuditStore } from "../storage/kysely-audit-store.ts";
import { KyselyDatasetStore } from "../storage/kysely-dataset-store.ts";
import { KyselyEndpointStore } from "../storage/kysely-endpoint-store.ts";
import { KyselyMemberStore } from "../storage/kysely-member-store.ts";
import { KyselyModelStore } from "../storage/kysely-model-store.ts";
import { KyselyRunStore } from "../storage/kysely-run-store.ts";
import { KyselyWorkspaceStore } from "../storage/kysely-workspace-store.ts";
import { readOrMakePepper, storeAdminKey } from "../storage/secrets.ts";
import {
  type AuditCheckpointLog,
  ensureAdminKey,
  type KeyDependencies,
  type MemberDependencies,
} from "../workspaces/index.ts";

/** What the control plane remembers with. */
export interface Stores {
  readonly directory: DataDirectory;
  readonly blobs: FileBlobStore;
  readonly datasets: { readonly store: KyselyDatasetStore; readonly ledger: BlobLedger };
  readonly models: KyselyModelStore;
  readonly runs: KyselyRunStore;
  readonly endpoints: KyselyEndpointStore;
  readonly workspaces: KyselyWorkspaceStore;
  readonly members: KyselyMemberStore;
  readonly audit: KyselyAuditStore;
  readonly checkpoints: AuditCheckpointLog;
}

/** Opens every store of the control plane; disposing the stack closes them. */
export const openStores = async (config: Config, resources: AsyncDisposableStack): Promise<Stores> => {
  const directory = openDataDirectory(config.dataDirectory);
  await sweepAfterControlPlane(directory);
  const { kysely } = resources.use(openDatabase(directory.database));
  const blobs = await FileBlobStore.open(directory.blobs, "control-plane");
  const store = new KyselyDatasetStore(kysely);
  const ledger = new BlobLedger(store, blobs);
  // What imports and starts of runs that were cut off left behind.
  await sweepImports({ store, ledger });
  const runs = new KyselyRunStore(kysely);
  await sweepRuns(runs, fileRunFolders(directory.runs));
  return {
    directory,
    blobs,
    datasets: { store, ledger },
    models: new KyselyModelStore(kysely),
    runs,
    endpoints: new KyselyEndpointStore(kysely),
    workspaces: new KyselyWorkspaceStore(kysely),
    members: new KyselyMemberStore(kysely),
    audit: new KyselyAuditStore(kysely, systemClock),
    checkpoints: await openFileAuditCheckpoints(directory),
  };
};

/** Keys, with an admin key that works in the owner's hands. */
export const openKeys = async (
  { directory, workspaces, members }: Stores,
  onChange: () => void,
): Promise<KeyDependencies & MemberDependencies & { readonly codeVersion: string }> => {
  const keys = {
    store: workspaces,
    members,
    clock: systemClock,
    pepper: await readOrMakePepper(directory),
    onChange,
    codeVersion,
  };
  await storeAdminKey(directory, (current) => ensureAdminKey(keys, current));
  return keys;
};
