import { auditTriggers } from "../audit-triggers.ts";
import type { Migration } from "./migration.ts";

/** The append-only audit log and the triggers that write it. */
export const auditMigration: Migration = {
  name: "0010-audit",
  up: [
    `create table audit_records (
      workspace_id text not null references workspaces (id),
      sequence integer not null,
      record text not null,
      at text generated always as (json_extract(record, '$.at')) virtual,
      operation text generated always as (json_extract(record, '$.operation')) virtual,
      primary key (workspace_id, sequence)
    ) strict, without rowid`,
    `create trigger audit_records_keep before update on audit_records begin
      select raise(abort, 'audit records are never changed');
    end`,
    ...auditTriggers,
  ],
};
