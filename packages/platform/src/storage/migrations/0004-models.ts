import type { Migration } from "./migration.ts";

/** Models, their versions and aliases with history. */
export const modelsMigration: Migration = {
  name: "0004-models",
  up: [
    `create table models (
      workspace_id text not null references workspaces (id),
      name text not null,
      created_at integer not null,
      primary key (workspace_id, name)
    ) strict, without rowid`,
    `create table model_versions (
      id text primary key,
      workspace_id text not null references workspaces (id),
      model text not null,
      version integer not null,
      digest text not null,
      created_at integer not null,
      bytes integer not null,
      artefact text not null,
      unique (workspace_id, model, version),
      unique (workspace_id, model, digest),
      foreign key (workspace_id, model) references models (workspace_id, name)
    ) strict`,
    `create table model_aliases (
      workspace_id text not null references workspaces (id),
      model text not null,
      alias text not null,
      version integer not null,
      since integer not null,
      primary key (workspace_id, model, alias),
      foreign key (workspace_id, model, version) references model_versions (workspace_id, model, version)
    ) strict, without rowid`,
    `create table model_alias_moves (
      id integer primary key autoincrement,
      workspace_id text not null references workspaces (id),
      model text not null,
      alias text not null,
      from_version integer,
      to_version integer not null,
      at integer not null,
      by_key text
    ) strict`,
    `create index model_alias_moves_of on model_alias_moves (workspace_id, model, alias, id)`,
  ],
};
