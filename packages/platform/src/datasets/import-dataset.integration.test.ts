import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { openDatasetYard } from "../../../../tests/kit/dataset-imports.ts";
import { PlatformError, silentLogger, systemClock, type UploadedFile } from "../foundation/index.ts";
import { importDataset } from "./import-dataset.ts";
import { sweepImports } from "./sweep-imports.ts";

const table = [{ name: "a.csv", content: "a,b\n1,2\n3,4\n" }];

describe("an import", () => {
  it("refuses options that do not fit together before it reads a byte", async () => {
    await using yard = await openDatasetYard();
    const { store, blobs, ledger, workspaceId } = yard;
    const dependencies = { store, blobs, ledger, clock: systemClock, logger: silentLogger };
    const unread: AsyncIterable<UploadedFile> = {
      [Symbol.asyncIterator]: () => {
        throw new Error("the files were touched");
      },
    };
    const start = (options: Parameters<typeof importDataset>[1]["options"]) => () =>
      importDataset(dependencies, {
        workspaceId,
        name: "data",
        options,
        files: unread,
        signal: new AbortController().signal,
      });
    const shares = { train: 0.5, validation: 0.1, test: 0.1, seed: 1 };
    const code = (expected: string) => expect.objectContaining({ code: expected });
    expect(start({ format: "csv", labels: ["a"] })).toThrow(code("invalid-input"));
    expect(start({ format: "idx", delimiter: ";" })).toThrow(code("invalid-input"));
    expect(start({ format: "npy", kinds: { x: "text" } })).toThrow(code("invalid-input"));
    expect(start({ format: "csv", split: { by: "random", ...shares } })).toThrow(code("split-invalid"));
    expect(start({ format: "csv", split: { by: "group", ...shares, train: 0.8 } })).toThrow(code("split-invalid"));
  });

  it("reports progress while it waits for data, in a sequence without gaps", async () => {
    await using yard = await openDatasetYard();
    const { store, blobs, ledger, workspaceId } = yard;
    const { promise: seen, resolve } = Promise.withResolvers<void>();
    const slow = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from("a,b\n1,2\n");
      await seen;
      yield Buffer.from("3,4\n");
    };
    const files = async function* (): AsyncGenerator<UploadedFile> {
      yield { name: "a.csv", stream: Readable.from(slow(), { objectMode: false }) };
    };
    const events = [];
    for await (const event of importDataset(
      { store, blobs, ledger, clock: systemClock, logger: silentLogger },
      { workspaceId, name: "data", options: { format: "csv" }, files: files(), signal: new AbortController().signal },
    )) {
      events.push(event);
      if (events.length === 2) resolve();
    }
    expect(events.slice(0, 2)).toMatchObject([
      { type: "progress", phase: "read" },
      { type: "progress", bytes: 8 },
    ]);
    expect(events.map((event) => event.sequence)).toEqual(events.map((_, index) => index + 1));
    expect(events.at(-1)).toMatchObject({ type: "completed", version: { rows: 2 } });
  });

  it("is undone when its reader goes away, and lets go of the upload", async () => {
    await using yard = await openDatasetYard();
    const { store, blobs, ledger, workspaceId } = yard;
    const rows = Buffer.from("1,2\n".repeat(20_000));
    const endless = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from("a,b\n");
      for (;;) yield rows;
    };
    const stream = Readable.from(endless(), { objectMode: false });
    const events = importDataset(
      { store, blobs, ledger, clock: systemClock, logger: silentLogger },
      {
        workspaceId,
        name: "data",
        options: { format: "csv" },
        files: (async function* () {
          yield { name: "a.csv", stream };
        })(),
        signal: new AbortController().signal,
      },
    );
    for await (const event of events) {
      expect(event.type).toBe("progress");
      if (blobs.digests().length > 0) break;
    }
    expect(stream.destroyed).toBe(true);
    expect(blobs.digests()).toEqual([]);
    expect(await store.unfinishedImports(workspaceId)).toEqual([]);
  });

  it("says that the disk is full and removes what it had written", async () => {
    await using yard = await openDatasetYard();
    const { store, blobs, workspaceId } = yard;
    const put = blobs.put.bind(blobs);
    let room = 2;
    blobs.put = async (content) => {
      if (room-- === 0) throw new PlatformError("disk-full", "There is no room.");
      return put(content);
    };
    const last = (await yard.events(table, { format: "csv" })).at(-1);
    expect(last).toMatchObject({ type: "failed", code: "disk-full" });
    expect(blobs.digests()).toEqual([]);
    expect(await store.unfinishedImports(workspaceId)).toEqual([]);
  });

  it("imports the same files at the same time into one version", async () => {
    await using yard = await openDatasetYard();
    const all = await Promise.all(Array.from({ length: 4 }, () => yard.import(table, { format: "csv" })));
    expect(all.filter((event) => event.created)).toHaveLength(1);
    expect(new Set(all.map((event) => event.version.digest)).size).toBe(1);
    // Two columns, assignment, profile, manifest: those of the version that was made, all of them.
    expect(yard.blobs.digests()).toHaveLength(5);
  });

  it("is swept at the next start when the process died in it; finished versions stay", async () => {
    await using yard = await openDatasetYard();
    await yard.import(table, { format: "csv" });
    const kept = yard.blobs.digests().toSorted();
    const owner = { workspaceId: yard.workspaceId, versionId: "ds_cut_off" };
    await yard.ledger.put(owner, Buffer.from("half a column"));
    expect(yard.blobs.digests()).toHaveLength(kept.length + 1);
    expect(await sweepImports(yard)).toBe(1);
    expect(yard.blobs.digests().toSorted()).toEqual(kept);
    expect(await sweepImports(yard)).toBe(0);
  });

  it("never touches a blob that another part of the platform stored before", async () => {
    await using yard = await openDatasetYard();
    const weights = await yard.blobs.put(new Uint8Array(new Float64Array([1, 3]).buffer));
    await yard.refusal(table, { format: "csv", split: { by: "given" } });
    expect(yard.blobs.digests()).toEqual([weights.digest]);
  });
});
