import { openDatabase } from "../storage/database.ts";
import { KyselyWorkspaceStore } from "../storage/kysely-workspace-store.ts";
import { workspaceStoreConformance } from "./workspace-store.conformance.ts";

workspaceStoreConformance("Kysely on SQLite", async () => {
  const database = openDatabase(":memory:");
  return {
    store: new KyselyWorkspaceStore(database.kysely),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
});
