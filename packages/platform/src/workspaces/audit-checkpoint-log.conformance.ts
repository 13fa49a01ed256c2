import { describe, expect, it } from "vitest";
import type { AuditCheckpointLog } from "./audit-checkpoint-log.ts";
import { verifyAudit } from "./audit-record.ts";

const head = (workspace: string, sequence: number) => ({
  workspace,
  sequence,
  hash: "00",
  at: "2026-01-01T00:00:00.000Z",
});

/** What every log of checkpoints must do. */
export const auditCheckpointLogConformance = (
  driver: string,
  open: () => Promise<
    { readonly reopen: () => Promise<AuditCheckpointLog>; readonly tear: () => Promise<void> } & AsyncDisposable
  >,
): void => {
  describe(`audit checkpoint log: ${driver}`, () => {
    it("signs, keeps each workspace's apart, and knows them after it is opened again, under the same key", async () => {
      await using opened = await open();
      const log = await opened.reopen();
      await log.append([head("ws_a", 1), head("ws_b", 7)]);
      await log.append([head("ws_a", 2)]);
      const again = await opened.reopen();
      expect(again.publicKey).toBe(log.publicKey);
      const kept = await again.read("ws_a");
      expect(kept.map(({ sequence }) => sequence)).toEqual([1, 2]);
      expect(await again.read("ws_none")).toEqual([]);
      // Signed right, so the check goes on to what the log lacks.
      const { flaw } = verifyAudit([], { publicKey: log.publicKey, checkpoints: kept });
      expect(flaw?.problem).toMatch(/cut off/);
    });

    it("goes on after a crash that cut its last line short", async () => {
      await using opened = await open();
      await (await opened.reopen()).append([head("ws_a", 1)]);
      await opened.tear();
      const log = await opened.reopen();
      await log.append([head("ws_a", 2)]);
      expect((await (await opened.reopen()).read("ws_a")).map(({ sequence }) => sequence)).toEqual([1, 2]);
    });
  });
};
