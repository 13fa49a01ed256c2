import { describe, expect, it } from "vitest";
import type { NewKey, WorkspaceStore } from "./workspace-store.ts";

const key = (id: string, changes: Partial<NewKey> = {}): NewKey => ({
  id,
  name: id.replace("_", "-"),
  prefix: `my_${id}`,
  secretHash: "00",
  scopes: ["predict"],
  createdAtMs: 1000,
  expiresAtMs: null,
  memberName: null,
  ...changes,
});

/** What every workspace store must do. */
export const workspaceStoreConformance = (
  driver: string,
  open: () => Promise<{ readonly store: WorkspaceStore } & AsyncDisposable>,
): void => {
  describe(`workspace store: ${driver}`, () => {
    it("makes a workspace once", async () => {
      await using opened = await open();
      const first = await opened.store.ensureWorkspace("default", 1);
      expect(await opened.store.ensureWorkspace("default", 2)).toEqual(first);
    });

    it("keeps each workspace's keys to itself", async () => {
      await using opened = await open();
      const { store } = opened;
      const [mine, yours] = [await store.ensureWorkspace("mine", 1), await store.ensureWorkspace("yours", 1)];
      await store.addKey(mine.id, key("key_a"));
      expect((await store.listKeys(yours.id, { limit: 10 })).items).toEqual([]);
      expect(await store.revokeKey(yours.id, "key_a", 5)).toBeNull();
      expect((await store.findVerifier("my_key_a"))?.revokedAtMs).toBeNull();
    });

    it("refuses a live key's name and frees it by revocation, which keeps its first moment", async () => {
      await using opened = await open();
      const { store } = opened;
      const { id } = await store.ensureWorkspace("default", 1);
      await store.addKey(id, key("key_a", { name: "ci" }));
      await expect(store.addKey(id, key("key_b", { name: "ci" }))).rejects.toMatchObject({ code: "already-exists" });
      const revoked = await store.revokeKey(id, "key_a", 5);
      expect(await store.revokeKey(id, "key_a", 9)).toEqual(revoked);
      await store.addKey(id, key("key_b", { name: "ci" }));
      expect((await store.listVerifiers(10)).map((verifier) => verifier.id)).toEqual(["key_b"]);
    });

    it("hands on no verifier of an expired key", async () => {
      await using opened = await open();
      const { store } = opened;
      const { id } = await store.ensureWorkspace("default", 1);
      await store.addKey(id, key("key_a", { expiresAtMs: 50 }));
      expect(await store.listVerifiers(49)).toHaveLength(1);
      expect(await store.listVerifiers(50)).toHaveLength(0);
    });

    it("pages newest first", async () => {
      await using opened = await open();
      const { store } = opened;
      const { id } = await store.ensureWorkspace("default", 1);
      for (const name of ["key_a", "key_b", "key_c"]) await store.addKey(id, key(name));
      const first = await store.listKeys(id, { limit: 2 });
      expect(first.items.map((item) => item.id)).toEqual(["key_c", "key_b"]);
      const second = await store.listKeys(id, { limit: 2, after: first.next ?? "" });
      expect(second).toMatchObject({ items: [{ id: "key_a" }], next: null });
    });

    it("replaces a live key's secret and keeps its id", async () => {
      await using opened = await open();
      const { store } = opened;
      const { id } = await store.ensureWorkspace("default", 1);
      const secret = { prefix: "my_new", secretHash: "11" };
      expect(await store.replaceSecret(id, "admin", secret)).toBe(false);
      await store.addKey(id, key("key_a", { name: "admin" }));
      expect(await store.replaceSecret(id, "admin", secret)).toBe(true);
      expect(await store.findVerifier("my_key_a")).toBeUndefined();
      expect(await store.findVerifier("my_new")).toMatchObject({ id: "key_a", secretHash: "11" });
    });

    it("makes a workspace of a name once, with its quotas, and changes those that are given", async () => {
      await using opened = await open();
      const { store } = opened;
      const quotas = { storageBytesMax: 10, activeRunsMax: null, endpointsMax: 2 };
      const workspace = { id: "ws_a", name: "lab", createdAtMs: 5, quotas };
      await store.addWorkspace(workspace);
      await expect(store.addWorkspace({ ...workspace, id: "ws_b" })).rejects.toMatchObject({ code: "already-exists" });
      expect(await store.findWorkspace({ id: "ws_a" })).toEqual(workspace);
      const changed = { ...workspace, quotas: { ...quotas, endpointsMax: null, activeRunsMax: 1 } };
      expect(await store.setQuotas("lab", { endpointsMax: null, activeRunsMax: 1 })).toEqual(changed);
      expect(await store.setQuotas("lab", {})).toEqual(changed);
      expect(await store.setQuotas("absent", { endpointsMax: 1 })).toBeNull();
      expect((await store.listWorkspaces({ limit: 5 })).items).toEqual([changed]);
      expect(await store.usage("ws_a")).toEqual({ storageBytes: 0, activeRuns: 0, endpoints: 0 });
    });

    it("puts a key in the place of another, which works on for the overlap and no longer", async () => {
      await using opened = await open();
      const { store } = opened;
      const { id } = await store.ensureWorkspace("default", 1);
      await store.addKey(id, key("key_a", { name: "ci" }));
      const next = key("key_b", { name: "ci", createdAtMs: 2000 });
      expect(await store.replaceKey(id, { id: "key_a", key: next, oldUntilMs: 3000 })).toMatchObject({ id: "key_b" });
      const live = async (nowMs: number) =>
        (await store.listVerifiers(nowMs)).map((verifier) => verifier.id).toSorted();
      expect(await live(2999)).toEqual(["key_a", "key_b"]);
      expect(await live(3000)).toEqual(["key_b"]);
      // Neither a replaced key nor another workspace's can be replaced.
      expect(await store.replaceKey(id, { id: "key_a", key: key("key_c"), oldUntilMs: 9 })).toBeNull();
      const { id: other } = await store.ensureWorkspace("other", 1);
      expect(await store.replaceKey(other, { id: "key_b", key: key("key_c"), oldUntilMs: 9 })).toBeNull();
      await expect(store.addKey(id, key("key_d", { name: "ci" }))).rejects.toMatchObject({ code: "already-exists" });
    });
  });
};
