import { type Clock, type Logger, timestamp } from "../foundation/index.ts";
import type { AuditCheckpointLog } from "./audit-checkpoint-log.ts";
import type { AuditStore } from "./audit-store.ts";

/** What the keeping of the audit log needs. */
export interface AuditDependencies {
  readonly audit: AuditStore;
  readonly checkpoints: AuditCheckpointLog;
  readonly clock: Clock;
}

const dayMs = 24 * 60 * 60 * 1000;

/** Signs the end of every chain that has grown since its last checkpoint. */
export const checkpointAudit = async ({ audit, checkpoints, clock }: AuditDependencies): Promise<number> => {
  const at = timestamp(clock.nowMs());
  const grown = [];
  for (const { workspaceId, sequence, hash } of await audit.heads()) {
    const last = (await checkpoints.read(workspaceId)).at(-1);
    if (last?.sequence !== sequence) grown.push({ workspace: workspaceId, sequence, hash, at });
  }
  if (grown.length > 0) await checkpoints.append(grown);
  return grown.length;
};

/** Removes records that are older than the retention, as far as a checkpoint proves the rest; returns how many. */
const retireAudit = async (
  { audit, checkpoints, clock }: AuditDependencies,
  retentionDays: number,
): Promise<number> => {
  const beforeMs = clock.nowMs() - retentionDays * dayMs;
  let removed = 0;
  for (const { workspaceId } of await audit.heads()) {
    const covered = (await checkpoints.read(workspaceId)).findLast(({ at }) => Date.parse(at) <= beforeMs);
    if (covered !== undefined) removed += await audit.removeOlder(workspaceId, beforeMs, covered.sequence);
  }
  return removed;
};

const checkpointEveryMs = 60_000;

/** Keeps the audit log until disposed: a checkpoint a minute while there are changes, retention once a day. */
export const keepAudit = (
  dependencies: AuditDependencies & { readonly logger: Logger; readonly retentionDays: number },
): AsyncDisposable => {
  let retiredAtMs = 0;
  let turn: Promise<void> = Promise.resolve();
  const work = async (): Promise<void> => {
    await checkpointAudit(dependencies);
    if (dependencies.clock.nowMs() - retiredAtMs < dayMs) return;
    retiredAtMs = dependencies.clock.nowMs();
    await retireAudit(dependencies, dependencies.retentionDays);
  };
  const take = (): Promise<void> => {
    turn = turn
      .then(work)
      .catch((error: unknown) =>
        dependencies.logger.error({ error }, "keeping the audit log failed; a minute later again"),
      );
    return turn;
  };
  const timer = setInterval(() => void take(), checkpointEveryMs).unref();
  void take();
  return {
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      await take();
    },
  };
};
