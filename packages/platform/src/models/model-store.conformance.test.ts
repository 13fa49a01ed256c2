import { openTwoWorkspaces } from "../../../../tests/kit/two-workspaces.ts";
import { KyselyModelStore } from "../storage/kysely-model-store.ts";
import { modelStoreConformance } from "./model-store.conformance.ts";

modelStoreConformance("Kysely on SQLite", async () => {
  const workspaces = await openTwoWorkspaces();
  return { ...workspaces, store: new KyselyModelStore(workspaces.kysely) };
});
