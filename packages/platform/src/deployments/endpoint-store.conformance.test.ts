import { openTwoWorkspaces } from "../../../../tests/kit/two-workspaces.ts";
import { KyselyEndpointStore } from "../storage/kysely-endpoint-store.ts";
import { endpointStoreConformance } from "./endpoint-store.conformance.ts";

endpointStoreConformance("Kysely on SQLite", async () => {
  const workspaces = await openTwoWorkspaces();
  return { ...workspaces, store: new KyselyEndpointStore(workspaces.kysely) };
});
