import { openDatabase } from "../storage/database.ts";
import { KyselyAuditStore } from "../storage/kysely-audit-store.ts";
import { KyselyMemberStore } from "../storage/kysely-member-store.ts";
import { KyselyWorkspaceStore } from "../storage/kysely-workspace-store.ts";
import { auditStoreConformance } from "./audit-store.conformance.ts";

auditStoreConformance("Kysely on SQLite", async () => {
  let nowMs = 1;
  const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs };
  const database = openDatabase(":memory:", clock);
  return {
    audit: new KyselyAuditStore(database.kysely, clock),
    members: new KyselyMemberStore(database.kysely),
    workspaces: new KyselyWorkspaceStore(database.kysely),
    setNowMs: (now) => {
      nowMs = now;
    },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
});
