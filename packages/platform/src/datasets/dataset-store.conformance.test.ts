import { openTwoWorkspaces } from "../../../../tests/kit/two-workspaces.ts";
import { KyselyDatasetStore } from "../storage/kysely-dataset-store.ts";
import { datasetStoreConformance } from "./dataset-store.conformance.ts";

datasetStoreConformance("Kysely on SQLite", async () => {
  const workspaces = await openTwoWorkspaces();
  return { ...workspaces, store: new KyselyDatasetStore(workspaces.kysely) };
});
