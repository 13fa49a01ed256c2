import type { Migration } from "./migration.ts";

/** Endpoints and the replicas that should run behind them. */
export const deploymentsMigration: Migration = {
  name: "0005-deployments",
  up: [
    `create table endpoints (
      id text primary key,
      workspace_id text not null references workspaces (id),
      name text not null,
      model text not null,
      replicas integer not null,
      created_at integer not null,
      unique (workspace_id, name)
    ) strict`,
    `create table replicas (
      id text primary key,
      workspace_id text not null references workspaces (id),
      endpoint_id text not null references endpoints (id) on delete cascade,
      model text not null,
      version integer not null,
      digest text not null,
      created_at integer not null
    ) strict`,
    `create index replicas_of_endpoint on replicas (endpoint_id)`,
  ],
};
