import type { Migration } from "./migration.ts";

/** Experiments and their runs, which are also the queue. */
export const experimentsMigration: Migration = {
  name: "0003-experiments",
  up: [
    `create table experiments (
      workspace_id text not null references workspaces (id),
      name text not null,
      created_at integer not null,
      primary key (workspace_id, name)
    ) strict, without rowid`,
    `create table runs (
      id text primary key,
      workspace_id text not null references workspaces (id),
      experiment text not null,
      state text not null,
      reason text,
      request text not null,
      created_at integer not null,
      started_at integer,
      ended_at integer,
      attempts integer not null,
      progress text,
      metrics text not null,
      evaluation text,
      registered text,
      lease_owner text,
      lease_until integer,
      foreign key (workspace_id, experiment) references experiments (workspace_id, name)
    ) strict`,
    `create index runs_by_state on runs (state, id)`,
    `create index runs_by_experiment on runs (workspace_id, experiment, id)`,
  ],
};
