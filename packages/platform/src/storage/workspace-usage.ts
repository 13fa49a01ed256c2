import type { Usage } from "@modelyard/contracts";
import { type Kysely, sql, type Transaction } from "kysely";
import { checkQuota } from "../workspaces/index.ts";
import type { Schema } from "./schema.ts";

/** What a workspace uses now, counted over the tables of all slices; inside a transaction, as of that transaction. */
export const usageOf = async (database: Kysely<Schema>, workspaceId: string): Promise<Usage> => {
  const { rows } = await sql<{ storage: number; runs: number; endpoints: number }>`select
    (select coalesce(sum(json_extract(description, '$.bytes')), 0) from dataset_versions where workspace_id = ${workspaceId})
      + (select coalesce(sum(bytes), 0) from model_versions where workspace_id = ${workspaceId}) as storage,
    (select count(*) from runs where workspace_id = ${workspaceId}
      and state not in ('succeeded', 'failed', 'canceled')) as runs,
    (select count(*) from endpoints where workspace_id = ${workspaceId}) as endpoints`.execute(database);
  const [row] = rows;
  return { storageBytes: row?.storage ?? 0, activeRuns: row?.runs ?? 0, endpoints: row?.endpoints ?? 0 };
};

/**
 * Refuses what would exceed a quota, as of a transaction that then adds it.
 * @throws PlatformError `quota-exceeded`.
 */
export const checkQuotaIn = async (
  transaction: Transaction<Schema>,
  workspaceId: string,
  added: { readonly thing: keyof Usage; readonly amount: number },
): Promise<void> => {
  const row = await transaction
    .selectFrom("workspaces")
    .select(["storage_bytes_max", "active_runs_max", "endpoints_max"])
    .where("id", "=", workspaceId)
    .executeTakeFirst();
  if (row === undefined) return;
  const quotas = {
    storageBytesMax: row.storage_bytes_max,
    activeRunsMax: row.active_runs_max,
    endpointsMax: row.endpoints_max,
  };
  // The sums are only paid for where there is a bound.
  if (Object.values(quotas).every((quota) => quota === null)) return;
  checkQuota({ quotas, usage: await usageOf(transaction, workspaceId) }, added.thing, added.amount);
};
