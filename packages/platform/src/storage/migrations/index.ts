import { workspacesMigration } from "./0001-workspaces.ts";
import type { Migration } from "./migration.ts";

/** Every migration in order; entries are never changed or removed once released. */
export const migrations: readonly Migration[] = [workspacesMigration];

export type { Migration } from "./migration.ts";
