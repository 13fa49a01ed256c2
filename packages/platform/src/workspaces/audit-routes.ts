import { Readable } from "node:stream";
import type { Routes } from "../foundation/index.ts";
import type { AuditStore } from "./audit-store.ts";
import { type AuditDependencies, checkpointAudit } from "./keep-audit.ts";

/** Operations on the audit log. */
export type AuditOperationId = "audit.list" | "audit.export" | "audit.checkpoints";

const exportedAtOnce = 1000;

async function* exportLines(audit: AuditStore, workspaceId: string): AsyncGenerator<string> {
  for (let from = 1; ;) {
    const records = await audit.recordsFrom(workspaceId, from, exportedAtOnce);
    const last = records.at(-1);
    if (last === undefined) return;
    yield records.map((record) => `${JSON.stringify(record)}\n`).join("");
    from = last.sequence + 1;
  }
}

/** Answers the operations on the audit log. */
export const auditRoutes = (dependencies: AuditDependencies): Routes<AuditOperationId> => {
  const { audit, checkpoints } = dependencies;
  return {
    "audit.list": async ({ principal, query }) => {
      const { operation, until } = query;
      const untilMs = until === undefined ? undefined : Date.parse(until);
      const page = await audit.listRecords(principal.workspaceId, query, { operation, untilMs });
      return { items: [...page.items], next: page.next };
    },
    "audit.export": async ({ principal }) => Readable.from(exportLines(audit, principal.workspaceId)),
    "audit.checkpoints": async ({ principal }) => {
      // What is exported next is covered too.
      await checkpointAudit(dependencies);
      return { publicKey: checkpoints.publicKey, items: [...(await checkpoints.read(principal.workspaceId))] };
    },
  };
};
