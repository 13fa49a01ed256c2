import type { Migration } from "./migration.ts";

/** Members with roles, quotas of workspaces, keys that take another's place. */
export const membersMigration: Migration = {
  name: "0009-members",
  up: [
    `create table members (
      id text primary key,
      workspace_id text not null references workspaces (id),
      name text not null,
      role text not null,
      created_at integer not null,
      unique (workspace_id, name)
    ) strict`,
    `alter table workspaces add column storage_bytes_max integer`,
    `alter table workspaces add column active_runs_max integer`,
    `alter table workspaces add column endpoints_max integer`,
    // A removed member's keys are revoked and keep their row.
    `alter table api_keys add column member_id text references members (id) on delete set null`,
    `alter table api_keys add column replaced_by text references api_keys (id)`,
    `drop index api_keys_live_name`,
    `create unique index api_keys_live_name on api_keys (workspace_id, name)
      where revoked_at is null and replaced_by is null`,
    // Who owned the machine before there were several workspaces goes on owning all of it.
    `update api_keys set scopes = '["admin","installation"]' where name = 'admin' and scopes = '["admin"]'`,
  ],
};
