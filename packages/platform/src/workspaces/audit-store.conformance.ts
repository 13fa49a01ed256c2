import { describe, expect, it } from "vitest";
import { runInRequest } from "../foundation/index.ts";
import type { AuditStore, Denial } from "./audit-store.ts";
import { verifyAudit } from "./audit-record.ts";
import type { MemberStore } from "./member-store.ts";
import type { WorkspaceStore } from "./workspace-store.ts";

interface Opened extends AsyncDisposable {
  readonly audit: AuditStore;
  readonly members: MemberStore;
  readonly workspaces: WorkspaceStore;
  /** Sets the clock that stamps records. */
  readonly setNowMs: (nowMs: number) => void;
}

const denial: Denial = {
  operation: "models.alias",
  actor: { key: "key_1", name: "ci" },
  requestId: "r1",
  reason: "forbidden",
  count: 3,
};
const request = { operation: "members.add", requestId: "r9", actor: { key: "key_2", name: "ada" } };
const member = (name: string) => ({ id: `mem_${name}`, name, role: "editor" as const, createdAtMs: 1 });
const noProof = { publicKey: "", checkpoints: [] };

/** What every store of the audit log must do. */
export const auditStoreConformance = (driver: string, open: () => Promise<Opened>): void => {
  describe(`audit store: ${driver}`, () => {
    it("has a record of every change, in the words of the request that asked for it", async () => {
      await using opened = await open();
      const { audit, members, workspaces } = opened;
      const { id } = await workspaces.ensureWorkspace("default", 1);
      await runInRequest(request, () => members.addMember(id, member("ada")));
      await members.setRole(id, "ada", "viewer");
      await members.removeMember(id, "ada", 5);
      const { items } = await audit.listRecords(id, { limit: 10 }, {});
      expect(items.map(({ outcome, subject, operation, actor }) => [outcome, subject, operation, actor?.name])).toEqual(
        [
          ["deleted", "members/ada", "platform", "platform"],
          ["changed", "members/ada", "platform", "platform"],
          ["created", "members/ada", "members.add", "ada"],
          ["created", "workspaces/default", "platform", "platform"],
        ],
      );
      const [deleted, changed, created] = items;
      expect(created).toMatchObject({ before: null, requestId: "r9", actor: request.actor });
      expect(changed?.before).toBe(created?.after);
      expect(deleted?.before).toBe(changed?.after);
      expect(deleted?.after).toBeNull();
    });

    it("has no record of a change that changed nothing, or was undone", async () => {
      await using opened = await open();
      const { audit, members, workspaces } = opened;
      const { id } = await workspaces.ensureWorkspace("default", 1);
      await members.addMember(id, member("ada"));
      const before = (await audit.listRecords(id, { limit: 50 }, {})).items.length;
      await members.setRole(id, "ada", "editor");
      await members.addMember(id, member("ada")).catch(() => undefined);
      expect((await audit.listRecords(id, { limit: 50 }, {})).items).toHaveLength(before);
    });

    it("chains changes and refusals of each workspace without a gap", async () => {
      await using opened = await open();
      const { audit, members, workspaces } = opened;
      const [a, b] = [await workspaces.ensureWorkspace("a", 1), await workspaces.ensureWorkspace("b", 1)];
      for (const name of ["x", "y", "z"]) {
        await members.addMember(a.id, member(`a${name}`));
        await audit.addDenial(b.id, denial);
        await members.addMember(b.id, member(`b${name}`));
      }
      for (const { id } of [a, b]) {
        const records = await audit.recordsFrom(id, 1, 100);
        expect(verifyAudit(records, noProof)).toMatchObject({ flaw: null, records: id === a.id ? 4 : 7 });
      }
      expect((await audit.heads()).map(({ sequence }) => sequence).toSorted()).toEqual([4, 7]);
      expect((await audit.listRecords(b.id, { limit: 9 }, { operation: "models.alias" })).items[0]).toMatchObject({
        outcome: "denied",
        subject: "forbidden",
        count: 3,
      });
    });

    it("pages newest first and reads up to a moment", async () => {
      await using opened = await open();
      const { audit, workspaces, setNowMs } = opened;
      const { id } = await workspaces.ensureWorkspace("default", 1);
      for (let i = 1; i <= 4; i++) {
        setNowMs(i * 1000);
        await audit.addDenial(id, denial);
      }
      const first = await audit.listRecords(id, { limit: 2 }, {});
      const second = await audit.listRecords(id, { limit: 2, after: first.next ?? "" }, {});
      expect([...first.items, ...second.items].map(({ sequence }) => sequence)).toEqual([5, 4, 3, 2]);
      expect((await audit.listRecords(id, { limit: 9 }, { untilMs: 2000 })).items[0]?.sequence).toBe(3);
    });

    it("removes old records from the front alone, and never past what a checkpoint covers", async () => {
      await using opened = await open();
      const { audit, workspaces, setNowMs } = opened;
      setNowMs(0);
      const { id } = await workspaces.ensureWorkspace("default", 1);
      for (let i = 1; i <= 5; i++) {
        setNowMs(i * 1000);
        await audit.addDenial(id, denial);
      }
      expect(await audit.removeOlder(id, 4000, 3)).toBe(3);
      const records = await audit.recordsFrom(id, 1, 100);
      expect(records.map(({ sequence }) => sequence)).toEqual([4, 5, 6]);
      expect(verifyAudit(records, noProof).flaw).toBeNull();
      await audit.addDenial(id, denial);
      expect((await audit.recordsFrom(id, 7, 1))[0]?.sequence).toBe(7);
    });
  });
};
