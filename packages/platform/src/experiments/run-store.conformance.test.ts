import { openTwoWorkspaces } from "../../../../tests/kit/two-workspaces.ts";
import { KyselyRunStore } from "../storage/kysely-run-store.ts";
import { runStoreConformance } from "./run-store.conformance.ts";

runStoreConformance("Kysely on SQLite", async () => {
  const workspaces = await openTwoWorkspaces();
  return { ...workspaces, store: new KyselyRunStore(workspaces.kysely) };
});
