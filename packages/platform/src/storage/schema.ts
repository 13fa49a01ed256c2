import type { EndpointsTable, ReplicasTable } from "./tables/deployments.ts";
import type { DatasetBlobsTable, DatasetsTable, DatasetVersionsTable } from "./tables/datasets.ts";
import type { ExperimentsTable, RunsTable } from "./tables/experiments.ts";
import type { ModelAliasesTable, ModelAliasMovesTable, ModelsTable, ModelVersionsTable } from "./tables/models.ts";
import type { OnceTable } from "./tables/once.ts";
import type { ApiKeysTable, AuditRecordsTable, MembersTable, WorkspacesTable } from "./tables/workspaces.ts";

/** All tables; times are milliseconds since 1970 in UTC. */
export interface Schema {
  workspaces: WorkspacesTable;
  api_keys: ApiKeysTable;
  members: MembersTable;
  audit_records: AuditRecordsTable;
  datasets: DatasetsTable;
  dataset_versions: DatasetVersionsTable;
  dataset_blobs: DatasetBlobsTable;
  experiments: ExperimentsTable;
  runs: RunsTable;
  models: ModelsTable;
  model_versions: ModelVersionsTable;
  model_aliases: ModelAliasesTable;
  model_alias_moves: ModelAliasMovesTable;
  endpoints: EndpointsTable;
  replicas: ReplicasTable;
  once: OnceTable;
}
