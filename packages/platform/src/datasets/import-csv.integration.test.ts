import fc from "fast-check";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { openDatasetYard } from "../../../../tests/kit/dataset-imports.ts";
import type { DigestText } from "../foundation/index.ts";
import { openDataset } from "./open-dataset.ts";
import { sampleDataset } from "./sample-dataset.ts";
import { profileDataset, showDataset } from "./show-dataset.ts";

const houses = [
  "price,rooms,city,zip,note",
  "100.5,3,Ulm,01234,nice",
  "NA,4,Bonn,09876,",
  '250,,Ulm,00001,"two\nlines, and ""quotes"""',
  "-1e3,2,Ulm,01234,last",
].join("\r\n");

const csv = (content: string, name = "houses.csv") => [{ name, content }];

describe("importing CSV files", () => {
  it("tells numbers, categories and texts apart, and keeps what is missing and what has leading zeros", async () => {
    await using yard = await openDatasetYard();
    const { version } = await yard.import(csv(`\uFEFF${houses}`), { format: "csv", target: "price" });
    expect(version.target).toBe("price");
    expect(version.columns).toEqual([
      { kind: "number", name: "price" },
      { kind: "number", name: "rooms" },
      { kind: "category", name: "city", categories: ["Bonn", "Ulm"] },
      { kind: "category", name: "zip", categories: ["00001", "01234", "09876"] },
      { kind: "text", name: "note" },
    ]);
    const reader = await openDataset(yard.blobs, version.digest as DigestText);
    expect(await reader.column("price")).toEqual({
      kind: "number",
      data: Float64Array.of(100.5, Number.NaN, 250, -1000),
    });
    expect(await reader.column("city")).toMatchObject({ data: Int32Array.of(1, 0, 1, 1) });
    const note = await reader.column("note");
    expect(note.kind === "text" && [0, 1, 2, 3].map((row) => note.text(row))).toEqual([
      "nice",
      "",
      'two\nlines, and "quotes"',
      "last",
    ]);
    await expect(reader.column("colour")).rejects.toMatchObject({ code: "column-unknown" });
  });

  it("profiles numbers and counts categories and what is missing", async () => {
    await using yard = await openDatasetYard();
    await yard.import(csv(houses), { format: "csv" });
    const stored = await showDataset(yard.store, yard.workspaceId, { name: "data", version: 1 });
    const profile = new Map((await profileDataset(yard.blobs, stored)).map((column) => [column.name, column]));
    expect(profile.get("rooms")).toEqual({
      name: "rooms",
      count: 4,
      missing: 1,
      mean: 3,
      standardDeviation: Math.sqrt(2 / 3),
      minimum: 2,
      maximum: 4,
      quantiles: { p25: 2.5, p50: 3, p75: 3.5 },
      categoryCounts: null,
    });
    expect(profile.get("city")?.categoryCounts).toEqual([
      { category: "Bonn", count: 1 },
      { category: "Ulm", count: 3 },
    ]);
    expect(profile.get("note")).toMatchObject({ count: 4, missing: 1 });
  });

  it("finds the delimiter, or takes the one it is told", async () => {
    await using yard = await openDatasetYard();
    const { version } = await yard.import(csv('a;b\n1,5;"x;y"\n2,5;z\n'), { format: "csv" });
    expect(version.columns.map((column) => column.name)).toEqual(["a", "b"]);
    const told = await yard.import(csv("a;b\n1;2\n"), { format: "csv", delimiter: "," });
    expect(told.version.columns).toMatchObject([{ name: "a;b" }]);
  });

  it("takes a column for what it is declared to be", async () => {
    await using yard = await openDatasetYard();
    const { version } = await yard.import(csv("age,churned\n30,0\n41,1\n50,10\n61,2\n"), {
      format: "csv",
      target: "churned",
      kinds: { churned: "category", age: "text" },
    });
    expect(version.columns).toEqual([
      { kind: "text", name: "age" },
      { kind: "category", name: "churned", categories: ["0", "1", "2", "10"] },
    ]);
  });

  it("reads codes as numbers only when they are declared numbers", async () => {
    await using yard = await openDatasetYard();
    const codes = csv("id\n007\n9007199254740993\n");
    expect((await yard.import(codes, { format: "csv" })).version.columns).toMatchObject([{ kind: "text" }]);
    const { version } = await yard.import(codes, { format: "csv", kinds: { id: "number" } });
    const column = await (await openDataset(yard.blobs, version.digest as DigestText)).column("id");
    expect(column).toEqual({ kind: "number", data: Float64Array.of(7, 9_007_199_254_740_992) });
  });

  it("reads train.csv and test.csv as the parts of a split, in whichever order they come", async () => {
    await using yard = await openDatasetYard();
    const train = { name: "train.csv", content: "x,y\n1,a\n2,b\n3,a\n" };
    const test = { name: "test.csv.gz", content: gzipSync("x,y\n4,b\n") };
    const { version } = await yard.import([test, train], { format: "csv", target: "y" });
    expect(version.split).toMatchObject({ plan: { by: "given" }, train: 3, test: 1 });
    expect(await yard.import([train, test], { format: "csv", target: "y" })).toMatchObject({ created: false });
    const items = await sampleDataset(yard.blobs, version.digest as DigestText, { split: "test", offset: 0, limit: 5 });
    expect(items).toEqual([{ row: 3, split: "test", values: { x: 4, y: "b" } }]);
  });

  it("keeps the rows of a group together", async () => {
    await using yard = await openDatasetYard();
    const rows = Array.from({ length: 100 }, (_, row) => `${row},patient ${row % 10}`);
    const split = { by: "group", train: 0.6, validation: 0.2, test: 0.2, seed: 3, groupColumn: "who" } as const;
    const { version } = await yard.import(csv(["x,who", ...rows].join("\n")), { format: "csv", split });
    expect(version.split).toMatchObject({ train: 60, validation: 20, test: 20 });
    const reader = await openDataset(yard.blobs, version.digest as DigestText);
    const parts = (["train", "validation", "test"] as const).map(
      (part) => new Set(Array.from(reader.rowsOf(part), (row) => row % 10)),
    );
    expect(parts.map((groups) => groups.size)).toEqual([6, 2, 2]);
    expect(new Set(parts.flatMap((groups) => [...groups])).size).toBe(10);
  });

  it("spools tables larger than its memory and leaves only the columns", async () => {
    await using yard = await openDatasetYard();
    const filler = "lorem ipsum dolor sit amet ".repeat(8);
    const lines = Array.from({ length: 60_000 }, (_, row) => `${row},${filler}${row}`);
    const { version } = await yard.import(csv(`id,text\n${lines.join("\n")}\n`), { format: "csv" });
    const reader = await openDataset(yard.blobs, version.digest as DigestText);
    const id = await reader.column("id");
    const text = await reader.column("text");
    if (id.kind !== "number" || text.kind !== "text") throw new Error("wrong kinds");
    expect(id.data).toEqual(Float64Array.from({ length: 60_000 }, (_, row) => row));
    expect([0, 31_000, 59_999].map((row) => text.text(row))).toEqual(
      [0, 31_000, 59_999].map((row) => `${filler}${row}`),
    );
    const segments = reader.manifest.columns.flatMap((column) => column.segments);
    expect(segments.length).toBeGreaterThan(2);
    // Segments, assignment, profile and manifest: nothing of the spool.
    expect(yard.blobs.digests()).toHaveLength(segments.length + 3);
  });

  it("gives back any table of texts that a CSV writer can write", async () => {
    await using yard = await openDatasetYard();
    const cell = fc.string({ unit: "binary", maxLength: 12 }).filter((text) => !text.includes("\0"));
    const table = fc
      .integer({ min: 1, max: 4 })
      .chain((columns) =>
        fc.array(fc.array(cell, { minLength: columns, maxLength: columns }), { minLength: 1, maxLength: 8 }),
      );
    const quote = (text: string): string => `"${text.replaceAll('"', '""')}"`;
    await fc.assert(
      fc.asyncProperty(table, fc.constantFrom(",", ";", "\t", "|"), async (rows, delimiter) => {
        const names = (rows[0] ?? []).map((_, index) => `column ${index}`);
        const kinds = Object.fromEntries(names.map((name) => [name, "text" as const]));
        const content = [names, ...rows].map((row) => row.map(quote).join(delimiter)).join("\n");
        const { version } = await yard.import(csv(content), { format: "csv", kinds, delimiter });
        const reader = await openDataset(yard.blobs, version.digest as DigestText);
        for (const [index, name] of names.entries()) {
          const column = await reader.column(name);
          if (column.kind !== "text") throw new Error("not text");
          expect(rows.map((_, row) => column.text(row))).toEqual(rows.map((row) => row[index]));
        }
      }),
      { numRuns: 60 },
    );
  });

  it("gives back any finite number as it was written", async () => {
    await using yard = await openDatasetYard();
    const number = fc.double({ noNaN: true, noDefaultInfinity: true });
    await fc.assert(
      fc.asyncProperty(fc.array(number, { minLength: 1, maxLength: 20 }), async (values) => {
        const { version } = await yard.import(csv(["x", ...values.map(String)].join("\n")), {
          format: "csv",
          kinds: { x: "number" },
        });
        const column = await (await openDataset(yard.blobs, version.digest as DigestText)).column("x");
        expect(column.kind === "number" && [...column.data]).toEqual(values.map((value) => Number(String(value))));
      }),
      { numRuns: 40 },
    );
  });
});

describe("CSV files that cannot be imported", () => {
  const cases = [
    [
      "a ragged row",
      "csv-ragged",
      /houses.csv, line 3: expected 2 fields as in the header, got 3/,
      "a,b\n1,2\n3,4,5\n",
    ],
    ["a quote that is not closed", "csv-invalid", /quote/, 'a,b\n1,"2\n'],
    ["text that is not UTF-8", "csv-invalid", /not UTF-8/, Buffer.from("a,b\nM\u00fcnchen,2\n", "latin1")],
    ["UTF-8 that is cut off", "csv-invalid", /not UTF-8/, Buffer.from("a\nü").subarray(0, 3)],
    ["UTF-16", "csv-invalid", /not UTF-8/, Buffer.from("\uFEFFa,b\n1,2\n", "utf16le")],
    ["two columns of one name", "csv-invalid", /called "a"/, "a,a\n1,2\n"],
    ["a header alone", "dataset-empty", /no rows/, "a,b\n"],
    ["nothing at all", "dataset-empty", /empty/, ""],
    ["a truncated gzip stream", "gzip-invalid", /gzip/, gzipSync(houses).subarray(0, 60)],
  ] as const;

  it.each(cases)("refuses %s, says where, and leaves nothing behind", async (_, code, detail, content) => {
    await using yard = await openDatasetYard();
    const refusal = await yard.refusal([{ name: "houses.csv", content }], { format: "csv" });
    expect(refusal.code).toBe(code);
    expect(refusal.detail).toMatch(detail);
    expect(yard.blobs.digests()).toEqual([]);
    expect(await yard.store.unfinishedImports(yard.workspaceId)).toEqual([]);
  });

  it("refuses columns that do not exist or are not what they are declared to be", async () => {
    await using yard = await openDatasetYard();
    const refusal = await yard.refusal(csv(houses), { format: "csv", target: "Price" });
    expect(refusal.code).toBe("column-unknown");
    expect(refusal.detail).toContain("price, rooms, city, zip, note");
    expect((await yard.refusal(csv(houses), { format: "csv", kinds: { rms: "text" } })).code).toBe("column-unknown");
    const declared = await yard.refusal(csv(houses), { format: "csv", kinds: { city: "number" } });
    expect(declared).toMatchObject({ code: "csv-invalid", detail: expect.stringMatching(/row 1 holds "Ulm"/) });
    const split = { by: "group", train: 1, validation: 0, test: 0, seed: 1, groupColumn: "street" } as const;
    expect((await yard.refusal(csv(houses), { format: "csv", split })).code).toBe("column-unknown");
    expect(yard.blobs.digests()).toEqual([]);
  });

  it("refuses several files that are not the parts of a split", async () => {
    await using yard = await openDatasetYard();
    const files = [...csv("a\n1\n", "one.csv"), ...csv("a\n2\n", "two.csv")];
    expect((await yard.refusal(files, { format: "csv" })).code).toBe("dataset-mismatch");
    const differing = [...csv("a\n1\n", "train.csv"), ...csv("b\n2\n", "test.csv")];
    expect((await yard.refusal(differing, { format: "csv" })).detail).toMatch(/same header/);
  });

  it("refuses a stratified split without a category to go by", async () => {
    await using yard = await openDatasetYard();
    const split = { by: "stratified", train: 0.8, validation: 0.1, test: 0.1, seed: 1 } as const;
    expect((await yard.refusal(csv(houses), { format: "csv", split, target: "price" })).code).toBe("split-invalid");
  });
});
