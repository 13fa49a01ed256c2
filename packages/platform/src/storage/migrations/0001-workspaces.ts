import type { Migration } from "./migration.ts";

/** Workspaces and their API keys. */
export const workspacesMigration: Migration = {
  name: "0001-workspaces",
  up: [
    `create table workspaces (
      id text primary key,
      name text not null unique,
      created_at integer not null
    ) strict`,
    `create table api_keys (
      id text primary key,
      workspace_id text not null references workspaces (id),
      name text not null,
      prefix text not null unique,
      secret_hash text not null,
      scopes text not null,
      created_at integer not null,
      expires_at integer,
      revoked_at integer,
      last_used_at integer
    ) strict`,
    `create unique index api_keys_live_name on api_keys (workspace_id, name) where revoked_at is null`,
  ],
};
