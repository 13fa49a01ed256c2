import { openDatabase } from "../storage/database.ts";
import { KyselyMemberStore } from "../storage/kysely-member-store.ts";
import { KyselyWorkspaceStore } from "../storage/kysely-workspace-store.ts";
import { memberStoreConformance } from "./member-store.conformance.ts";

memberStoreConformance("Kysely on SQLite", async () => {
  const database = openDatabase(":memory:");
  return {
    members: new KyselyMemberStore(database.kysely),
    workspaces: new KyselyWorkspaceStore(database.kysely),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
});
