import { describe, expect, it } from "vitest";
import {
  budgets,
  compare,
  copiesAmong,
  measureFile,
  percentile,
  readBaseline,
  runningSources,
  structureOf,
} from "./structure.ts";

const files = runningSources();
const structure = structureOf(files);
const difference = compare(structure, readBaseline());

describe("the structure", () => {
  it("is looked at as a whole", () => {
    expect(files.length).toBeGreaterThan(300);
  });

  it("breaks no budget that it did not break before: shorten, document or share what is named", () => {
    expect(difference.added).toEqual([]);
  });

  it("keeps no allowance that nobody needs any more. If it does, run: npm run structure", () => {
    expect(difference.gone).toEqual([]);
  });

  it("keeps most files and functions short", () => {
    const measured = files.map(measureFile);
    const lines = measured.map((file) => file.lines);
    const functions = measured.flatMap((file) => file.functions);
    expect(percentile(lines, 0.5)).toBeLessThanOrEqual(budgets.fileLinesP50);
    expect(percentile(lines, 0.9)).toBeLessThanOrEqual(budgets.fileLinesP90);
    expect(percentile(functions, 0.5)).toBeLessThanOrEqual(budgets.functionLinesP50);
    expect(percentile(functions, 0.9)).toBeLessThanOrEqual(budgets.functionLinesP90);
  });
});

describe("the counter", () => {
  const body = "  work();\n".repeat(budgets.functionLinesMax);

  it("sees files and functions that are too long, and exports that nobody explained", () => {
    const text = `/** Explained. */\nexport const fine = 1;\n\n// No TSDoc.\nexport const bare = () => {\n${body}};\nexport interface Naked {}\n`;
    const long = { path: "long.ts", text: `${text}${"// x\n".repeat(budgets.fileLinesMax)}` };
    expect(structureOf([long])).toEqual({
      longFiles: ["long.ts"],
      longFunctions: ["long.ts"],
      undocumentedExports: ["long.ts#bare", "long.ts#Naked"],
      copies: [],
    });
  });

  it("sees code that stands in two files, whatever its indentation", () => {
    const code = Array.from({ length: 8 }, (_, i) => `step(${i});`);
    const [one, other] = [code.join("\n"), `if (x) {\n  ${code.join("\n  ")}\n}`];
    expect(
      copiesAmong([
        { path: "a.ts", text: one },
        { path: "b.ts", text: other },
      ]),
    ).toEqual(["a.ts and b.ts"]);
    expect(
      copiesAmong([
        { path: "a.ts", text: one },
        { path: "b.ts", text: other.replace("step(5)", "leap()") },
      ]),
    ).toEqual([]);
  });

  it("tells what is new from what was there, and what may leave the baseline", () => {
    const none = { longFiles: [], longFunctions: [], undocumentedExports: [], copies: [] };
    expect(compare({ ...none, longFiles: ["a.ts", "b.ts"] }, { ...none, longFiles: ["b.ts", "c.ts"] })).toEqual({
      added: ["longFiles: a.ts"],
      gone: ["longFiles: c.ts"],
    });
  });
});
