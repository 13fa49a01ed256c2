import { createHash } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { fashionFiles, openDatasetYard } from "../../../../tests/kit/dataset-imports.ts";
import type { DigestText } from "../foundation/index.ts";
import { openDataset } from "./open-dataset.ts";
import { sampleDataset } from "./sample-dataset.ts";
import { profileDataset, showDataset } from "./show-dataset.ts";

/** An IDX file of unsigned bytes. */
const idx = (shape: readonly number[], data: Uint8Array): Uint8Array => {
  const head = Buffer.alloc(4 + 4 * shape.length);
  head.set([0, 0, 8, shape.length]);
  shape.forEach((size, axis) => head.writeUInt32BE(size, 4 + 4 * axis));
  return Buffer.concat([head, data]);
};

const images = (rows: number): Uint8Array =>
  idx(
    [rows, 2, 2],
    Uint8Array.from({ length: rows * 4 }, (_, i) => i),
  );
const labels = (values: readonly number[]): Uint8Array => idx([values.length], Uint8Array.from(values));

const pair = (rows = 20) => [
  { name: "images.idx", content: images(rows) },
  { name: "labels.idx", content: labels(Array.from({ length: rows }, (_, row) => row % 2)) },
];

describe("importing IDX files", () => {
  it("keeps every pixel and label of Fashion-MNIST, in the parts that the files give", async () => {
    await using yard = await openDatasetYard();
    const files = await fashionFiles();
    const { version, created } = await yard.import(files, { format: "idx" }, "fashion");
    expect(created).toBe(true);
    expect(version).toMatchObject({
      rows: 70_000,
      target: "label",
      columns: [{ kind: "image", height: 28, width: 28, channels: 1 }, { kind: "category" }],
      split: { plan: { by: "given" }, train: 60_000, validation: 0, test: 10_000 },
    });
    const reader = await openDataset(yard.blobs, version.digest as DigestText);
    const column = await reader.column("image");
    const label = await reader.column("label");
    if (column.kind !== "image" || label.kind !== "category") throw new Error("wrong kinds");
    const raw = new Map(files.map(({ name, content }) => [name, gunzipSync(content as Uint8Array)]));
    const of = (name: string, head: number): Buffer => raw.get(`${name}-ubyte.gz`)?.subarray(head) ?? Buffer.alloc(0);
    const pixels = Buffer.concat([of("train-images-idx3", 16), of("t10k-images-idx3", 16)]);
    expect(Buffer.compare(pixels, column.data)).toBe(0);
    expect(Uint8Array.from(label.data)).toEqual(
      new Uint8Array(Buffer.concat([of("train-labels-idx1", 8), of("t10k-labels-idx1", 8)])),
    );
    expect(label.categories).toEqual(["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    expect(reader.rowsOf("test")[0]).toBe(60_000);
    const distinct = new Set<string>();
    for (let at = 0; at < pixels.length; at += 784) {
      distinct.add(
        createHash("sha1")
          .update(pixels.subarray(at, at + 784))
          .digest("base64"),
      );
    }
    expect(version.leaks.duplicateRows).toBe(70_000 - distinct.size);
  });

  it("profiles pixels exactly and counts the classes", async () => {
    await using yard = await openDatasetYard();
    const files = await fashionFiles("t10k");
    const { version } = await yard.import(files, { format: "idx", labels: [..."abcdefghij"] }, "fashion");
    const stored = await showDataset(yard.store, yard.workspaceId, { name: "fashion", version: version.version });
    const [image, label] = await profileDataset(yard.blobs, stored);
    const pixels = gunzipSync(files[0]?.content as Uint8Array).subarray(16);
    let sum = 0;
    let squares = 0;
    for (const pixel of pixels) {
      sum += pixel;
      squares += pixel * pixel;
    }
    const mean = sum / pixels.length;
    expect(image?.mean).toBeCloseTo(mean, 9);
    expect(image?.standardDeviation).toBeCloseTo(Math.sqrt(squares / pixels.length - mean * mean), 8);
    const sorted = Uint8Array.from(pixels).sort();
    expect(image?.quantiles?.p75).toBe(sorted[Math.round((pixels.length - 1) * 0.75)]);
    expect(image).toMatchObject({ count: 10_000, missing: 0, minimum: 0, maximum: 255 });
    expect(label?.categoryCounts).toEqual([..."abcdefghij"].map((category) => ({ category, count: 1000 })));
  });

  it("gives the same version for the same bytes, compressed or not, in any order and any pieces", async () => {
    await using yard = await openDatasetYard();
    const [x, y] = pair();
    if (x === undefined || y === undefined) throw new Error("no files");
    const first = await yard.import([x, y], { format: "idx" });
    const blobsBefore = yard.blobs.digests().toSorted();
    const pieces = Array.from(x.content, (byte) => Uint8Array.of(byte));
    const again = await yard.import(
      [
        { name: "labels.idx.gz", content: gzipSync(y.content) },
        { name: "images.idx", content: pieces },
      ],
      { format: "idx" },
    );
    expect(again).toMatchObject({ created: false, version: first.version });
    expect(yard.blobs.digests().toSorted()).toEqual(blobsBefore);
    const other = await yard.import([x, y], { format: "idx", labels: ["cat", "dog"] });
    expect(other).toMatchObject({ created: true, version: { version: 2 } });
  });

  it("splits a single pair 80/10/10 by class, and by the plan that is asked for", async () => {
    await using yard = await openDatasetYard();
    const { version } = await yard.import(pair(40), { format: "idx" });
    expect(version.split).toMatchObject({ plan: { by: "stratified", seed: 1 }, train: 32, validation: 4, test: 4 });
    const split = { by: "random", train: 0.5, validation: 0, test: 0.5, seed: 7 } as const;
    const planned = await yard.import(pair(40), { format: "idx", split });
    expect(planned.version.split).toEqual({ plan: split, train: 20, validation: 0, test: 20 });
  });

  it("reports equal images, those across parts and those with two labels", async () => {
    await using yard = await openDatasetYard();
    const twice = Uint8Array.from([...Array(4).fill(9), ...Array(4).fill(9), ...Array(4).fill(3)]);
    const { version } = await yard.import(
      [
        { name: "train-images", content: idx([3, 2, 2], twice) },
        { name: "train-labels", content: labels([0, 1, 0]) },
        { name: "t10k-images", content: idx([1, 2, 2], Uint8Array.from([3, 3, 3, 3])) },
        { name: "t10k-labels", content: labels([0]) },
      ],
      { format: "idx" },
    );
    expect(version.leaks).toEqual({
      duplicateRows: 2,
      acrossSplits: 1,
      conflictingLabels: 1,
      examples: [
        { rows: [2, 3], splits: ["train", "test"] },
        { rows: [0, 1], splits: ["train", "train"] },
      ],
    });
  });

  it("shows rows as PNG with their class", async () => {
    await using yard = await openDatasetYard();
    const { version } = await yard.import(pair(), { format: "idx", labels: ["even", "odd"] });
    const request = { split: "train", offset: 1, limit: 3 } as const;
    const items = await sampleDataset(yard.blobs, version.digest as DigestText, request);
    expect(items).toHaveLength(3);
    for (const { row, values } of items) {
      expect(values["label"]).toBe(row % 2 === 0 ? "even" : "odd");
      expect(Buffer.from(String(values["image"]), "base64").subarray(1, 4).toString()).toBe("PNG");
    }
  });
});

describe("IDX files that cannot be imported", () => {
  const whole = gzipSync(images(20));
  const cases = [
    [
      "a wrong magic number",
      "idx-invalid",
      /expected 00 00.*got 89 50 4e 47/,
      [{ name: "images", content: Buffer.from("\x89PNG....", "latin1") }],
    ],
    ["an empty file", "idx-invalid", /empty file/, [{ name: "images", content: "" }]],
    [
      "data that is cut off",
      "idx-invalid",
      /20 rows of 4 bytes \(80\), the file has 77/,
      [{ name: "images", content: images(20).subarray(0, -3) }],
    ],
    [
      "more data than announced",
      "idx-invalid",
      /More data/,
      [{ name: "images", content: Buffer.concat([images(20), Buffer.alloc(9)]) }],
    ],
    [
      "a truncated gzip stream",
      "gzip-invalid",
      /images.gz/,
      [{ name: "images.gz", content: whole.subarray(0, whole.length - 12) }],
    ],
    [
      "a damaged gzip stream",
      "gzip-invalid",
      /damaged/,
      [{ name: "images.gz", content: Buffer.concat([whole.subarray(0, 10), Buffer.alloc(30, 7)]) }],
    ],
    ["images without labels", "dataset-mismatch", /no file of labels/, [{ name: "images", content: images(20) }]],
    [
      "labels of another count",
      "dataset-mismatch",
      /20 images.*3 labels/,
      [
        { name: "images", content: images(20) },
        { name: "labels", content: labels([0, 1, 1]) },
      ],
    ],
    [
      "two files of images",
      "dataset-mismatch",
      /both hold images/,
      [
        { name: "a", content: images(20) },
        { name: "b", content: images(20) },
      ],
    ],
    ["no files", "dataset-empty", /No file/, []],
    [
      "files without rows",
      "dataset-empty",
      /no rows/,
      [
        { name: "images", content: images(0) },
        { name: "labels", content: labels([]) },
      ],
    ],
  ] as const;

  it.each(cases)("refuses %s, says why, and leaves nothing behind", async (_, code, detail, files) => {
    await using yard = await openDatasetYard();
    const refusal = await yard.refusal([...files], { format: "idx" });
    expect(refusal.code).toBe(code);
    expect(refusal.detail).toMatch(detail);
    expect(yard.blobs.digests()).toEqual([]);
    expect(await yard.store.unfinishedImports(yard.workspaceId)).toEqual([]);
    expect((await yard.store.listDatasets(yard.workspaceId, { limit: 1 })).items).toEqual([]);
  });

  it("refuses options that do not fit the data: unnamed classes, unknown target, a split that nobody gave", async () => {
    await using yard = await openDatasetYard();
    expect((await yard.refusal(pair(), { format: "idx", labels: ["only"] })).code).toBe("dataset-mismatch");
    expect(await yard.refusal(pair(), { format: "idx", target: "species" })).toEqual({
      code: "column-unknown",
      detail: 'The target "species" is no column of the data. Columns are: image, label.',
    });
    expect((await yard.refusal(pair(), { format: "idx", split: { by: "given" } })).code).toBe("split-invalid");
    expect(yard.blobs.digests()).toEqual([]);
  });

  it("keeps what an earlier version needs when a later import of the same bytes fails", async () => {
    await using yard = await openDatasetYard();
    await yard.import(pair(), { format: "idx" });
    const before = yard.blobs.digests().toSorted();
    await yard.refusal(pair(), { format: "idx", split: { by: "given" } });
    expect(yard.blobs.digests().toSorted()).toEqual(before);
  });
});
