import { workspacesMigration } from "./0001-workspaces.ts";
import { datasetsMigration } from "./0002-datasets.ts";
import { experimentsMigration } from "./0003-experiments.ts";
import { modelsMigration } from "./0004-models.ts";
import { deploymentsMigration } from "./0005-deployments.ts";
import { onceMigration } from "./0006-once.ts";
import { membersMigration } from "./0009-members.ts";
import { auditMigration } from "./0010-audit.ts";
import { loadedEndpointsMigration } from "./0013-loaded-endpoints.ts";
import type { Migration } from "./migration.ts";

/** Every migration in order; entries are never changed or removed once released. */
export const migrations: readonly Migration[] = [
  workspacesMigration,
  datasetsMigration,
  experimentsMigration,
  modelsMigration,
  deploymentsMigration,
  onceMigration,
  membersMigration,
  auditMigration,
  loadedEndpointsMigration,
];

export type { Migration } from "./migration.ts";
