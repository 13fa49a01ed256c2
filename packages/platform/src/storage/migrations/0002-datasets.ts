import type { Migration } from "./migration.ts";

/** Datasets, their versions and the blobs these need. */
export const datasetsMigration: Migration = {
  name: "0002-datasets",
  up: [
    `create table datasets (
      id text primary key,
      workspace_id text not null references workspaces (id),
      name text not null,
      created_at integer not null,
      unique (workspace_id, name)
    ) strict`,
    `create table dataset_versions (
      id text primary key,
      workspace_id text not null references workspaces (id),
      dataset_id text not null references datasets (id),
      version integer not null,
      digest text not null,
      created_at integer not null,
      description text not null,
      profile_digest text not null,
      unique (dataset_id, version),
      unique (dataset_id, digest)
    ) strict`,
    `create table dataset_blobs (
      workspace_id text not null references workspaces (id),
      version_id text not null,
      digest text not null,
      owned integer not null,
      primary key (version_id, digest)
    ) strict, without rowid`,
    `create index dataset_blobs_digest on dataset_blobs (digest)`,
  ],
};
