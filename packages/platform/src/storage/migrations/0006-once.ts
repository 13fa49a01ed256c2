import type { Migration } from "./migration.ts";

/** What requests with an idempotency key have made, written with what they made. */
export const onceMigration: Migration = {
  name: "0006-once",
  up: [
    `create table once (
      workspace_id text not null references workspaces (id),
      key text not null,
      request text not null,
      reference text not null,
      created_at integer not null,
      primary key (workspace_id, key)
    ) strict, without rowid`,
    `create index once_by_age on once (created_at)`,
  ],
};
