import type { AuditRecord } from "@modelyard/contracts";
import { type Kysely, type Selectable, sql } from "kysely";
import { type Clock, type Page, type PageRequest, timestamp } from "../foundation/index.ts";
import { type AuditFilter, type AuditStore, type Denial, sealRecord } from "../workspaces/index.ts";
import { pageFrom } from "./page-from.ts";
import type { Schema } from "./schema.ts";
import type { AuditRecordsTable } from "./tables/workspaces.ts";

// Written by this adapter and the triggers alone.
const toRecord = ({ record }: Pick<Selectable<AuditRecordsTable>, "record">): AuditRecord =>
  JSON.parse(record) as AuditRecord;

/** Reads the audit log that the database's triggers write, and adds refusals to it. */
export class KyselyAuditStore implements AuditStore {
  readonly #database: Kysely<Schema>;
  readonly #clock: Clock;

  constructor(database: Kysely<Schema>, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  addDenial(workspaceId: string, denial: Denial): Promise<void> {
    const { operation, actor, requestId, reason, count } = denial;
    return this.#database.transaction().execute(async (transaction) => {
      const last = await transaction
        .selectFrom("audit_records")
        .select(["sequence", "record"])
        .where("workspace_id", "=", workspaceId)
        .orderBy("sequence", "desc")
        .limit(1)
        .executeTakeFirst();
      const sequence = (last?.sequence ?? 0) + 1;
      const record = sealRecord({
        sequence,
        at: timestamp(this.#clock.nowMs()),
        actor,
        operation,
        outcome: "denied",
        subject: reason,
        before: null,
        after: null,
        requestId,
        count,
        previous: last === undefined ? "" : toRecord(last).hash,
      });
      await transaction
        .insertInto("audit_records")
        .values({ workspace_id: workspaceId, sequence, record: JSON.stringify(record) })
        .execute();
    });
  }

  async listRecords(workspaceId: string, page: PageRequest, filter: AuditFilter): Promise<Page<AuditRecord>> {
    let query = this.#database
      .selectFrom("audit_records")
      .select(["sequence", "record"])
      .where("workspace_id", "=", workspaceId);
    if (page.after !== undefined) query = query.where("sequence", "<", Number(page.after) || 0);
    if (filter.operation !== undefined) query = query.where("operation", "=", filter.operation);
    if (filter.untilMs !== undefined) query = query.where("at", "<=", timestamp(filter.untilMs));
    const rows = await query
      .orderBy("sequence", "desc")
      .limit(page.limit + 1)
      .execute();
    return pageFrom(rows, page.limit, { item: toRecord, cursor: (row) => String(row.sequence) });
  }

  async recordsFrom(workspaceId: string, sequence: number, limit: number): Promise<readonly AuditRecord[]> {
    const rows = await this.#database
      .selectFrom("audit_records")
      .select("record")
      .where("workspace_id", "=", workspaceId)
      .where("sequence", ">=", sequence)
      .orderBy("sequence", "asc")
      .limit(limit)
      .execute();
    return rows.map(toRecord);
  }

  async heads(): Promise<
    readonly { readonly workspaceId: string; readonly sequence: number; readonly hash: string }[]
  > {
    const { rows } = await sql<{ workspace_id: string; sequence: number; record: string }>`
      select workspace_id, sequence, record from audit_records as record
      where sequence = (select max(sequence) from audit_records where workspace_id = record.workspace_id)`.execute(
      this.#database,
    );
    return rows.map((row) => ({ workspaceId: row.workspace_id, sequence: row.sequence, hash: toRecord(row).hash }));
  }

  async removeOlder(workspaceId: string, beforeMs: number, throughSequence: number): Promise<number> {
    const { numDeletedRows } = await this.#database
      .deleteFrom("audit_records")
      .where("workspace_id", "=", workspaceId)
      .where("sequence", "<=", throughSequence)
      // Only from the front: a record that stays keeps all that follow it.
      .where("sequence", "<", (of) =>
        of
          .selectFrom("audit_records as kept")
          .select((kept) => kept.fn.coalesce(kept.fn.min("kept.sequence"), kept.val(throughSequence + 1)).as("first"))
          .where("kept.workspace_id", "=", workspaceId)
          .where("kept.at", ">=", timestamp(beforeMs)),
      )
      .executeTakeFirst();
    return Number(numDeletedRows);
  }
}
