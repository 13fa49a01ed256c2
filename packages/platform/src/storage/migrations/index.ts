import { workspacesMigration } from "./0001-workspaces.ts";
import { datasetsMigration } from "./0002-datasets.ts";
import type { Migration } from "./migration.ts";

/** Every migration in order; entries are never changed or removed once released. */
export const migrations: readonly Migration[] = [workspacesMigration, datasetsMigration];

export type { Migration } from "./migration.ts";
