import { describe, expect, it } from "vitest";
import { RowHashes } from "./row-hashes.ts";

const hashesOf = (rows: readonly string[]): RowHashes => {
  const hashes = new RowHashes();
  for (const row of rows) hashes.push(row);
  return hashes;
};

describe("content hashes of rows", () => {
  it("groups equal rows in ascending order and leaves single rows out", async () => {
    expect(await hashesOf(["a", "b", "a", "c", "b", "a"]).duplicateGroups()).toEqual([
      [0, 2, 5],
      [1, 4],
    ]);
    expect(await hashesOf([]).duplicateGroups()).toEqual([]);
  });

  it("finds every duplicate among many rows", async () => {
    const rows = Array.from({ length: 20_000 }, (_, i) => `row ${i % 15_000}`);
    const groups = await hashesOf(rows).duplicateGroups();
    expect(groups).toHaveLength(5000);
    expect(groups.every(([first = 0, second]) => second === first + 15_000)).toBe(true);
  });

  it("hashes rows alike whether they come alone, in blocks, joined or reordered", () => {
    const block = new RowHashes();
    block.pushRows(Buffer.from("aabbcc"), 2);
    const alone = hashesOf(["aa", "bb", "cc"]);
    expect([0, 1, 2].map((row) => block.at(row))).toEqual([0, 1, 2].map((row) => alone.at(row)));
    expect(RowHashes.concat([hashesOf(["aa"]), hashesOf(["bb", "cc"])]).at(2)).toBe(alone.at(2));
    expect(alone.reordered(Uint32Array.of(2, 0, 1)).at(0)).toBe(alone.at(2));
  });
});
