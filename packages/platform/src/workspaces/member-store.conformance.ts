import { describe, expect, it } from "vitest";
import type { MemberStore, StoredMember } from "./member-store.ts";
import type { NewKey, WorkspaceStore } from "./workspace-store.ts";

const member = (name: string, changes: Partial<StoredMember> = {}): StoredMember => ({
  id: `mem_${name}`,
  name,
  role: "editor",
  createdAtMs: 1000,
  ...changes,
});

const keyOf = (memberName: string): NewKey => ({
  id: `key_${memberName}`,
  name: `of-${memberName}`,
  prefix: `my_${memberName}`,
  secretHash: "00",
  scopes: ["admin"],
  createdAtMs: 1000,
  expiresAtMs: null,
  memberName,
});

/** What every store of members must do. */
export const memberStoreConformance = (
  driver: string,
  open: () => Promise<{ readonly members: MemberStore; readonly workspaces: WorkspaceStore } & AsyncDisposable>,
): void => {
  describe(`member store: ${driver}`, () => {
    it("keeps each workspace's members to itself", async () => {
      await using opened = await open();
      const { members, workspaces } = opened;
      const [mine, yours] = [await workspaces.ensureWorkspace("mine", 1), await workspaces.ensureWorkspace("yours", 1)];
      await members.addMember(mine.id, member("ada"));
      expect(await members.findMember(yours.id, "ada")).toBeNull();
      expect(await members.setRole(yours.id, "ada", "owner")).toBe(false);
      expect(await members.removeMember(yours.id, "ada", 5)).toBe(false);
      expect((await members.listMembers(yours.id, { limit: 5 })).items).toEqual([]);
      await members.addMember(yours.id, member("ada", { id: "mem_other", role: "viewer" }));
      expect(await members.findMember(mine.id, "ada")).toEqual(member("ada"));
    });

    it("refuses a second member of a name", async () => {
      await using opened = await open();
      const { id } = await opened.workspaces.ensureWorkspace("default", 1);
      await opened.members.addMember(id, member("ada"));
      await expect(opened.members.addMember(id, member("ada", { id: "mem_b" }))).rejects.toMatchObject({
        code: "already-exists",
      });
    });

    it("bounds a member's keys by the role, as it is now", async () => {
      await using opened = await open();
      const { members, workspaces } = opened;
      const { id } = await workspaces.ensureWorkspace("default", 1);
      await members.addMember(id, member("ada", { role: "owner" }));
      await workspaces.addKey(id, keyOf("ada"));
      expect((await workspaces.findVerifier("my_ada"))?.scopes).toEqual(["admin"]);
      await members.setRole(id, "ada", "viewer");
      const scopes = (await workspaces.findVerifier("my_ada"))?.scopes ?? [];
      expect(scopes).toContain("models:read");
      expect(scopes).not.toContain("models:write");
      expect(scopes).not.toContain("admin");
      expect((await workspaces.listVerifiers(5))[0]?.scopes).toEqual(scopes);
    });

    it("revokes a removed member's keys in the same step", async () => {
      await using opened = await open();
      const { members, workspaces } = opened;
      const { id } = await workspaces.ensureWorkspace("default", 1);
      await members.addMember(id, member("ada"));
      await workspaces.addKey(id, keyOf("ada"));
      expect(await members.removeMember(id, "ada", 7)).toBe(true);
      expect(await workspaces.listVerifiers(8)).toEqual([]);
      expect((await workspaces.findVerifier("my_ada"))?.revokedAtMs).toBe(7);
      expect(await members.removeMember(id, "ada", 9)).toBe(false);
    });

    it("gives no key to somebody who is no member", async () => {
      await using opened = await open();
      const { id } = await opened.workspaces.ensureWorkspace("default", 1);
      await expect(opened.workspaces.addKey(id, keyOf("nobody"))).rejects.toMatchObject({ code: "not-found" });
    });
  });
};
