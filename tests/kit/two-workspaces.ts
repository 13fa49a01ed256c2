import type { Kysely } from "kysely";
import { openDatabase } from "../../packages/platform/src/storage/database.ts";
import type { Schema } from "../../packages/platform/src/storage/schema.ts";

/** A migrated SQLite database in memory that holds two workspaces, for the conformance suites of stores. */
export interface TwoWorkspaces extends AsyncDisposable {
  readonly kysely: Kysely<Schema>;
  readonly workspaceIds: readonly [string, string];
}

/** Opens one. */
export const openTwoWorkspaces = async (): Promise<TwoWorkspaces> => {
  const database = openDatabase(":memory:");
  const workspaceIds = ["ws_a", "ws_b"] as const;
  for (const id of workspaceIds) {
    await database.kysely.insertInto("workspaces").values({ id, name: id, created_at: 0 }).execute();
  }
  return { kysely: database.kysely, workspaceIds, [Symbol.asyncDispose]: () => database[Symbol.asyncDispose]() };
};
