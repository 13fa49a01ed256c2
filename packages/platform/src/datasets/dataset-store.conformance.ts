import { describe, expect, it } from "vitest";
import { digestOf, newIdentifier } from "../foundation/index.ts";
import type { DatasetStore } from "./dataset-store.ts";
import type { DatasetDescription, NewDatasetVersion } from "./dataset-version.ts";

/** A store to test, with two workspaces that exist. */
export interface DatasetStoreSubject extends AsyncDisposable {
  readonly store: DatasetStore;
  readonly workspaceIds: readonly [string, string];
}

const description: DatasetDescription = {
  format: "csv",
  rows: 3,
  bytes: 24,
  columns: [{ kind: "number", name: "a" }],
  target: null,
  split: { plan: { by: "given" }, train: 3, validation: 0, test: 0 },
  leaks: { duplicateRows: 0, acrossSplits: 0, conflictingLabels: 0, examples: [] },
};

const newVersion = (content: string, createdAtMs = 1_700_000_000_000): NewDatasetVersion => ({
  id: newIdentifier("ds", createdAtMs),
  createdAtMs,
  digest: digestOf(content),
  profileDigest: digestOf(`profile of ${content}`),
  description,
});

const nothing: ReadonlySet<string> = new Set();

/** What every driver of the port must do. */
export const datasetStoreConformance = (driver: string, open: () => Promise<DatasetStoreSubject>): void => {
  describe(`DatasetStore: ${driver}`, () => {
    it("gives versions numbers from 1 and finds them again as they were added", async () => {
      await using subject = await open();
      const [workspace] = subject.workspaceIds;
      const first = await subject.store.addVersion(workspace, "iris", newVersion("one"));
      const second = await subject.store.addVersion(workspace, "iris", newVersion("two"));
      expect([first.stored.version.version, second.stored.version.version]).toEqual([1, 2]);
      expect(await subject.store.findVersion(workspace, "iris", 2)).toEqual(second.stored);
      expect(second.stored.version).toMatchObject({ dataset: "iris", digest: digestOf("two"), ...description });
      expect(await subject.store.findVersion(workspace, "iris", 3)).toBeNull();
    });

    it("adds equal content once: the same version comes back, no number is spent", async () => {
      await using subject = await open();
      const [workspace] = subject.workspaceIds;
      const first = await subject.store.addVersion(workspace, "iris", newVersion("one"));
      const again = await subject.store.addVersion(workspace, "iris", newVersion("one"));
      const next = await subject.store.addVersion(workspace, "iris", newVersion("two"));
      expect([first.created, again.created]).toEqual([true, false]);
      expect(again.stored).toEqual(first.stored);
      expect(next.stored.version.version).toBe(2);
    });

    it("numbers versions that are added at the same time without a gap or a double", async () => {
      await using subject = await open();
      const [workspace] = subject.workspaceIds;
      const added = await Promise.all(
        Array.from({ length: 8 }, (_, i) => subject.store.addVersion(workspace, "iris", newVersion(`version ${i}`))),
      );
      expect(added.map(({ stored }) => stored.version.version).sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    });

    it("shows no workspace what another one has", async () => {
      await using subject = await open();
      const [mine, other] = subject.workspaceIds;
      await subject.store.addVersion(mine, "iris", newVersion("one"));
      expect(await subject.store.findVersion(other, "iris", 1)).toBeNull();
      expect(await subject.store.listVersions(other, "iris", { limit: 10 })).toBeNull();
      expect((await subject.store.listDatasets(other, { limit: 10 })).items).toEqual([]);
      const theirs = await subject.store.addVersion(other, "iris", newVersion("one"));
      expect(theirs).toMatchObject({ created: true, stored: { version: { version: 1 } } });
    });

    it("lists datasets newest first with their newest version, page by page", async () => {
      await using subject = await open();
      const [workspace] = subject.workspaceIds;
      for (const [index, name] of ["a", "b", "c"].entries()) {
        await subject.store.addVersion(workspace, name, newVersion(`${name} one`, 1_700_000_000_000 + index));
      }
      await subject.store.addVersion(workspace, "a", newVersion("a two", 1_700_000_001_000));
      const page = await subject.store.listDatasets(workspace, { limit: 2 });
      expect(page.items.map((item) => item.name)).toEqual(["c", "b"]);
      const rest = await subject.store.listDatasets(workspace, { limit: 2, after: page.next ?? "" });
      expect(rest.next).toBeNull();
      expect(rest.items).toMatchObject([{ name: "a", versions: 2, latest: { version: { version: 2 } } }]);
    });

    it("lists versions newest first, page by page", async () => {
      await using subject = await open();
      const [workspace] = subject.workspaceIds;
      for (const content of ["one", "two", "three"])
        await subject.store.addVersion(workspace, "a", newVersion(content));
      const page = await subject.store.listVersions(workspace, "a", { limit: 2 });
      const rest = await subject.store.listVersions(workspace, "a", { limit: 2, after: page?.next ?? "" });
      expect(page?.items.map((item) => item.version.version)).toEqual([3, 2]);
      expect(rest).toMatchObject({ items: [{ version: { version: 1 } }], next: null });
    });

    it("frees a blob only when its last owner lets go, across workspaces", async () => {
      await using subject = await open();
      const [mine, other] = subject.workspaceIds;
      const [shared, own] = [digestOf("shared"), digestOf("own")];
      await subject.store.claimBlob(mine, { versionId: "ds_a", digest: shared, present: false });
      await subject.store.claimBlob(mine, { versionId: "ds_a", digest: own, present: false });
      await subject.store.claimBlob(other, { versionId: "ds_b", digest: shared, present: true });
      expect(await subject.store.unneededBlobs(mine, "ds_a", nothing)).toEqual([own]);
      expect(await subject.store.unneededBlobs(mine, "ds_a", new Set([own]))).toEqual([]);
      await subject.store.dropClaims(mine, "ds_a", nothing);
      expect(await subject.store.unneededBlobs(other, "ds_b", nothing)).toEqual([shared]);
    });

    it("never frees a blob that was there before any dataset named it", async () => {
      await using subject = await open();
      const [workspace] = subject.workspaceIds;
      await subject.store.claimBlob(workspace, { versionId: "ds_a", digest: digestOf("weights"), present: true });
      expect(await subject.store.unneededBlobs(workspace, "ds_a", nothing)).toEqual([]);
    });

    it("knows imports that never became a version", async () => {
      await using subject = await open();
      const [workspace] = subject.workspaceIds;
      const finished = newVersion("one");
      const digest = digestOf("blob");
      await subject.store.claimBlob(workspace, { versionId: finished.id, digest, present: false });
      await subject.store.claimBlob(workspace, { versionId: "ds_cut_off", digest, present: true });
      await subject.store.addVersion(workspace, "iris", finished);
      expect(await subject.store.unfinishedImports(workspace)).toEqual(["ds_cut_off"]);
      expect(await subject.store.workspacesWithUnfinishedImports()).toEqual([workspace]);
      await subject.store.dropClaims(workspace, "ds_cut_off", nothing);
      expect(await subject.store.unfinishedImports(workspace)).toEqual([]);
    });
  });
};
