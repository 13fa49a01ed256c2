import type { Kysely, Transaction } from "kysely";
import { type Once, PlatformError } from "../foundation/index.ts";
import type { Schema } from "./schema.ts";

/** How long a key is remembered. */
const rememberedMs = 24 * 60 * 60 * 1000;

/**
 * What the same request made before, or `null`.
 * @throws PlatformError `idempotency-key-reused` when the key came with another request.
 */
export const findOnce = async (
  database: Kysely<Schema>,
  workspaceId: string,
  once: Once | undefined,
): Promise<string | null> => {
  if (once === undefined) return null;
  const row = await database
    .selectFrom("once")
    .select(["request", "reference"])
    .where("workspace_id", "=", workspaceId)
    .where("key", "=", once.key)
    .executeTakeFirst();
  if (row === undefined) return null;
  if (row.request === once.request) return row.reference;
  throw new PlatformError(
    "idempotency-key-reused",
    "This Idempotency-Key came with another request before. Use a new key for each thing that is to be done.",
  );
};

/** Remembers, in the transaction that makes it, what a request has made; keys of yesterday are forgotten. */
export const rememberOnce = async (
  transaction: Transaction<Schema>,
  once: Once | undefined,
  made: { readonly workspaceId: string; readonly reference: string; readonly atMs: number },
): Promise<void> => {
  if (once === undefined) return;
  await transaction
    .deleteFrom("once")
    .where("created_at", "<", made.atMs - rememberedMs)
    .execute();
  await transaction
    .insertInto("once")
    .values({
      workspace_id: made.workspaceId,
      key: once.key,
      request: once.request,
      reference: made.reference,
      created_at: made.atMs,
    })
    .execute();
};
