import * as fc from "fast-check";
import { expect, test } from "vitest";
import { splitLines } from "./line-splitter.ts";

const feed = (text: string, cuts: readonly number[], longest: number): string[] => {
  const lines: string[] = [];
  const write = splitLines((line) => void lines.push(line), longest);
  const bytes = Buffer.from(text);
  let from = 0;
  for (const cut of [...cuts, bytes.length].map((c) => Math.min(c, bytes.length)).toSorted((a, b) => a - b)) {
    write(bytes.subarray(from, cut));
    from = cut;
  }
  return lines;
};

test("lines come out whole wherever the stream is cut, even inside a character", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "grapheme" })), fc.array(fc.nat(400)), (words, cuts) => {
      const lines = words.map((word) => word.replaceAll("\n", "")).filter((word) => word !== "");
      expect(feed(lines.map((line) => `${line}\n`).join(""), cuts, 10_000)).toEqual(lines);
    }),
  );
});

test("a line without an end never holds more than the bound", () => {
  expect(feed(`${"x".repeat(5000)}\nshort\n`, [10, 100, 1000], 64)).toEqual(["x".repeat(64), "short"]);
});
