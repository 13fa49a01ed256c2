import { type Database, openDatabase } from "../../packages/platform/src/storage/database.ts";

/** A migrated SQLite database in memory that holds two workspaces, for the conformance suites of stores. */
export interface TwoWorkspaces extends AsyncDisposable {
  readonly kysely: Database["kysely"];
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
