import type { DatasetBlobsTable, DatasetsTable, DatasetVersionsTable } from "./tables/datasets.ts";
import type { ApiKeysTable, WorkspacesTable } from "./tables/workspaces.ts";

/** All tables; times are milliseconds since 1970 in UTC. */
export interface Schema {
  workspaces: WorkspacesTable;
  api_keys: ApiKeysTable;
  datasets: DatasetsTable;
  dataset_versions: DatasetVersionsTable;
  dataset_blobs: DatasetBlobsTable;
}
