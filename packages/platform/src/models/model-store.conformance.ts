import { ArtefactManifest } from "@modelyard/contracts";
import { describe, expect, it } from "vitest";
import { digestOf, newIdentifier } from "../foundation/index.ts";
import type { ModelStore, NewModelVersion } from "./model-store.ts";
import { firstAlias } from "./model-version.ts";

/** A store to test, with two workspaces that exist. */
export interface ModelStoreSubject extends AsyncDisposable {
  readonly store: ModelStore;
  readonly workspaceIds: readonly [string, string];
}

const startMs = 1_700_000_000_000;

const artefact = ArtefactManifest.parse({
  format: 1,
  definition: { kind: "sequential", layers: [{ layer: "Input", shape: [2] }] },
  signature: {
    input: { kind: "tensor", shape: [2] },
    output: { kind: "tensor", shape: [2] },
    tensors: { inputs: [], outputs: [] },
  },
  preprocessing: [],
  labels: null,
  graph: { digest: digestOf("graph"), bytes: 5 },
  weights: null,
  evaluation: null,
  lineage: {
    run: newIdentifier("run", startMs),
    dataset: "iris@1",
    datasetDigest: digestOf("iris"),
    target: "y",
    features: ["a", "b"],
    split: { train: 8, validation: 1, test: 1 },
    seed: 1,
    optimizer: "adam",
    loss: "mean_squared_error",
    epochs: 1,
    batchSize: 32,
    codeVersion: "0.1.0",
  },
  environment: { node: "v24.0.0", onnxruntime: "1.0.0", platform: "linux-x64", opset: 21 },
});

const newVersion = (content: string, createdAtMs = startMs): NewModelVersion & { readonly firstAlias: string } => ({
  id: newIdentifier("mv", createdAtMs),
  digest: digestOf(content),
  createdAtMs,
  bytes: content.length,
  artefact,
  firstAlias,
});

/** What every driver of the port must do. */
export const modelStoreConformance = (driver: string, open: () => Promise<ModelStoreSubject>): void => {
  describe(`ModelStore: ${driver}`, () => {
    it("numbers versions from 1 and finds them again as they were added", async () => {
      await using subject = await open();
      const [workspace] = subject.workspaceIds;
      const first = await subject.store.addVersion(workspace, "iris", newVersion("one"));
      const second = await subject.store.addVersion(workspace, "iris", newVersion("two"));
      expect([first, second].map(({ stored }) => stored.version)).toEqual([1, 2]);
      expect(await subject.store.findVersion(workspace, "iris", 2)).toEqual(second.stored);
      expect(second.stored).toMatchObject({ model: "iris", digest: digestOf("two"), bytes: 3, aliases: [], artefact });
      expect(await subject.store.findVersion(workspace, "iris", 3)).toBeNull();
      expect(await subject.store.findVersion(workspace, "rose", 1)).toBeNull();
    });

    it("adds the same artefact once: the same version comes back, no number is spent", async () => {
      await using subject = await open();
      const [workspace] = subject.workspaceIds;
      const first = await subject.store.addVersion(workspace, "iris", newVersion("one"));
      const again = await subject.store.addVersion(workspace, "iris", newVersion("one"));
      const next = await subject.store.addVersion(workspace, "iris", newVersion("two"));
      expect([first.created, again.created, next.created]).toEqual([true, false, true]);
      expect(again.stored).toEqual(first.stored);
      expect(next.stored.version).toBe(2);
    });

    it("numbers versions that are added at the same time without a gap or a double", async () => {
      await using subject = await open();
      const [workspace] = subject.workspaceIds;
      const added = await Promise.all(
        Array.from({ length: 8 }, (_, i) => subject.store.addVersion(workspace, "iris", newVersion(`version ${i}`))),
      );
      expect(added.map(({ stored }) => stored.version).toSorted()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    });

    it("gives the first version alone the first alias, as a move by nobody", async () => {
      await using subject = await open();
      const [workspace] = subject.workspaceIds;
      const { stored } = await subject.store.addVersion(workspace, "iris", newVersion("one"));
      await subject.store.addVersion(workspace, "iris", newVersion("two"));
      expect(stored.aliases).toEqual([firstAlias]);
      expect(await subject.store.findByAlias(workspace, "iris", firstAlias)).toEqual(stored);
      const history = await subject.store.aliasHistory(workspace, { model: "iris", alias: firstAlias }, { limit: 10 });
      expect(history.items).toMatchObject([{ from: null, to: 1, by: null }]);
    });

    it("moves an alias and remembers every move, newest first, page by page", async () => {
      await using subject = await open();
      const [workspace] = subject.workspaceIds;
      for (const content of ["one", "two"]) await subject.store.addVersion(workspace, "iris", newVersion(content));
      const move = { alias: firstAlias, to: 2, atMs: startMs + 10, by: "key_a" };
      expect(await subject.store.moveAlias(workspace, "iris", move)).toMatchObject({ from: 1, to: 2, by: "key_a" });
      await subject.store.moveAlias(workspace, "iris", { ...move, to: 1, atMs: startMs + 20 });
      expect((await subject.store.findByAlias(workspace, "iris", firstAlias))?.version).toBe(1);
      const which = { model: "iris", alias: firstAlias };
      const page = await subject.store.aliasHistory(workspace, which, { limit: 2 });
      const rest = await subject.store.aliasHistory(workspace, which, { limit: 2, after: page.next ?? "" });
      expect(page.items.map(({ from, to }) => [from, to])).toEqual([
        [2, 1],
        [1, 2],
      ]);
      expect(rest).toMatchObject({ items: [{ from: null, to: 1 }], next: null });
    });

    it("says where aliases pointed at any moment", async () => {
      await using subject = await open();
      const [workspace] = subject.workspaceIds;
      for (const content of ["one", "two"]) await subject.store.addVersion(workspace, "iris", newVersion(content));
      await subject.store.moveAlias(workspace, "iris", { alias: firstAlias, to: 2, atMs: startMs + 10, by: null });
      await subject.store.moveAlias(workspace, "iris", { alias: "shadow", to: 1, atMs: startMs + 20, by: null });
      const at = async (moment: number): Promise<unknown> =>
        (await subject.store.aliasesAt(workspace, "iris", moment)).map(({ alias, version }) => [alias, version]);
      expect(await at(startMs - 1)).toEqual([]);
      expect(await at(startMs + 9)).toEqual([[firstAlias, 1]]);
      expect(await at(startMs + 20)).toEqual([
        [firstAlias, 2],
        ["shadow", 1],
      ]);
    });

    it("moves no alias to a version that does not exist, and remembers nothing of it", async () => {
      await using subject = await open();
      const [workspace, other] = subject.workspaceIds;
      await subject.store.addVersion(workspace, "iris", newVersion("one"));
      const move = { alias: "next", to: 2, atMs: startMs, by: null };
      expect(await subject.store.moveAlias(workspace, "iris", move)).toBeNull();
      expect(await subject.store.moveAlias(other, "iris", { ...move, to: 1 })).toBeNull();
      expect(await subject.store.findByAlias(workspace, "iris", "next")).toBeNull();
      const history = await subject.store.aliasHistory(workspace, { model: "iris", alias: "next" }, { limit: 10 });
      expect(history.items).toEqual([]);
    });

    it("lists models by name and versions newest first, page by page", async () => {
      await using subject = await open();
      const [workspace] = subject.workspaceIds;
      for (const name of ["b", "c", "a"]) await subject.store.addVersion(workspace, name, newVersion(`${name} one`));
      await subject.store.addVersion(workspace, "a", newVersion("a two"));
      const models = await subject.store.listModels(workspace, { limit: 2 });
      expect(models.items).toMatchObject([
        { name: "a", versions: 2, latest: 2, aliases: [{ alias: firstAlias, version: 1 }] },
        { name: "b", versions: 1, latest: 1 },
      ]);
      const rest = await subject.store.listModels(workspace, { limit: 2, after: models.next ?? "" });
      expect(rest).toMatchObject({ items: [{ name: "c" }], next: null });
      const versions = await subject.store.listVersions(workspace, "a", { limit: 1 });
      const older = await subject.store.listVersions(workspace, "a", { limit: 1, after: versions?.next ?? "" });
      expect([versions, older].map((page) => page?.items.map(({ version }) => version))).toEqual([[2], [1]]);
      expect(await subject.store.listVersions(workspace, "absent", { limit: 1 })).toBeNull();
    });

    it("shows no workspace what another one has", async () => {
      await using subject = await open();
      const [mine, other] = subject.workspaceIds;
      await subject.store.addVersion(mine, "iris", newVersion("one"));
      expect(await subject.store.findModel(other, "iris")).toBeNull();
      expect(await subject.store.findVersion(other, "iris", 1)).toBeNull();
      expect(await subject.store.findByAlias(other, "iris", firstAlias)).toBeNull();
      expect((await subject.store.listModels(other, { limit: 10 })).items).toEqual([]);
      const theirs = await subject.store.addVersion(other, "iris", newVersion("one"));
      expect(theirs).toMatchObject({ created: true, stored: { version: 1 } });
    });
  });
};
