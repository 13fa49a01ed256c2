import { openDatabase } from "../storage/database.ts";
import { KyselyDatasetStore } from "../storage/kysely-dataset-store.ts";
import { datasetStoreConformance } from "./dataset-store.conformance.ts";

datasetStoreConformance("Kysely on SQLite", async () => {
  const database = openDatabase(":memory:");
  const workspaceIds = ["ws_a", "ws_b"] as const;
  for (const id of workspaceIds) {
    await database.kysely.insertInto("workspaces").values({ id, name: id, created_at: 0 }).execute();
  }
  return {
    store: new KyselyDatasetStore(database.kysely),
    workspaceIds,
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
});
