import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { blobStoreConformance } from "./blob-store.conformance.ts";
import { FileBlobStore } from "./file-blob-store.ts";
import { MemoryBlobStore } from "./memory-blob-store.ts";

const folders: string[] = [];
const newFolder = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), "modelyard-blobs-"));
  folders.push(folder);
  return folder;
};
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

describe("memory", () => blobStoreConformance(async () => new MemoryBlobStore()));

describe("files", () => {
  blobStoreConformance(async () => FileBlobStore.open(await newFolder(), "test"));

  it("catches changed bytes before they are used", async () => {
    const folder = await newFolder();
    const store = await FileBlobStore.open(folder, "test");
    const { digest } = await store.put(new TextEncoder().encode("honest"));
    await writeFile(join(folder, digest.slice(7, 9), digest.slice(9)), "forged");
    const drain = async (): Promise<void> => {
      for await (const chunk of await store.stream(digest)) expect(chunk).toBeDefined();
    };
    await expect(drain()).rejects.toMatchObject({ code: "artefact-corrupt" });
    await expect(store.get(digest)).rejects.toMatchObject({ code: "artefact-corrupt" });
    // Put aside: it is no longer there, and storing it again heals it.
    expect(await store.has(digest)).toBe(false);
    await store.put(new TextEncoder().encode("honest"));
    expect(new TextDecoder().decode(await store.get(digest))).toBe("honest");
  });

  it("removes what a dead writer left", async () => {
    const folder = await newFolder();
    await FileBlobStore.open(folder, "test");
    for (const name of ["test.half", "other.half"]) await writeFile(join(folder, "tmp", name), "written");
    await FileBlobStore.open(folder, "test");
    expect(await readdir(join(folder, "tmp"))).toEqual(["other.half"]);
    await FileBlobStore.sweep(folder);
    expect(await readdir(join(folder, "tmp"))).toEqual([]);
  });
});
