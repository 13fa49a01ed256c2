import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findLeaks, findLeaksSteps } from "./leaks.ts";
import {
  groupSplit,
  groupSplitSteps,
  randomSplit,
  randomSplitSteps,
  stratifiedSplit,
  stratifiedSplitSteps,
} from "./split.ts";
import type { Stepwise } from "./steps.ts";

const shares = { train: 0.7, validation: 0.2, test: 0.1 };
const count = (assignment: Uint8Array, part: number): number => assignment.filter((p) => p === part).length;

describe("dealing rows to train, validation and test", () => {
  it("gives each part its share, equal for equal seeds and different for others", () => {
    const assignment = randomSplit(1000, shares, 5);
    expect([0, 1, 2].map((part) => count(assignment, part))).toEqual([700, 200, 100]);
    expect(randomSplit(1000, shares, 5)).toEqual(assignment);
    expect(randomSplit(1000, shares, 6)).not.toEqual(assignment);
  });

  it("keeps the share of every class in every part to within one row, and of the parts too", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 2, max: 60 }), { minLength: 1, maxLength: 12 }),
        fc.nat(),
        (sizes, seed) => {
          const classes = Int32Array.from(sizes.flatMap((size, index) => Array<number>(size).fill(index)));
          const assignment = stratifiedSplit(classes, shares, seed);
          for (const [index, size] of sizes.entries()) {
            const inTest = assignment.filter((part, row) => part === 2 && classes[row] === index).length;
            expect(Math.abs(inTest - size * shares.test)).toBeLessThanOrEqual(1);
          }
          expect(Math.abs(count(assignment, 2) - classes.length * shares.test)).toBeLessThanOrEqual(1);
          expect(Math.abs(count(assignment, 1) - classes.length * shares.validation)).toBeLessThanOrEqual(1);
        },
      ),
    );
  });

  it("never puts rows of one group into two parts, and leaves no part empty", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 3, maxLength: 12 }),
        fc.nat(),
        (sizes, seed) => {
          const groups = Int32Array.from(sizes.flatMap((size, index) => Array<number>(size).fill(index)));
          const assignment = groupSplit(groups, shares, seed);
          for (const index of sizes.keys()) {
            expect(new Set(assignment.filter((_, row) => groups[row] === index)).size).toBe(1);
          }
          expect(new Set(assignment).size).toBe(3);
        },
      ),
    );
  });

  it("keeps a class of a single row for training", () => {
    expect(stratifiedSplit(Int32Array.of(0, 1, 2), { train: 0, validation: 0.5, test: 0.5 }, 1)).toEqual(
      new Uint8Array(3),
    );
  });

  it("refuses shares that do not sum to 1, and parts that cannot be filled", () => {
    const code = expect.objectContaining({ code: "split-invalid" });
    expect(() => randomSplit(10, { train: 0.5, validation: 0.1, test: 0.1 }, 1)).toThrow(code);
    expect(() => randomSplit(10, { train: 1.5, validation: -0.5, test: 0 }, 1)).toThrow(code);
    expect(() => randomSplit(2, { train: 0.1, validation: 0.45, test: 0.45 }, 1)).toThrow(code);
    expect(() => groupSplit(Int32Array.of(0, 0, 1), shares, 1)).toThrow(code);
  });
});

describe("work in small pieces", () => {
  /** Result and number of pieces. */
  const driven = <Result>(work: Stepwise<Result>): { readonly result: Result; readonly pieces: number } => {
    let [step, pieces] = [work.next(), 1];
    for (; step.done !== true; step = work.next()) pieces++;
    return { result: step.value, pieces };
  };
  const rows = 300_000;
  const values = Int32Array.from({ length: rows }, (_, row) => (row * 7919) % 1000);

  it.each([
    ["a random split", () => randomSplitSteps(rows, shares, 3), () => randomSplit(rows, shares, 3)],
    ["a stratified split", () => stratifiedSplitSteps(values, shares, 3), () => stratifiedSplit(values, shares, 3)],
    ["a split by group", () => groupSplitSteps(values, shares, 3), () => groupSplit(values, shares, 3)],
  ])("pauses every 16,384 rows or sooner in %s, with the same result", (_, work, whole) => {
    const { result, pieces } = driven(work());
    // Every row is looked at three times at least: to find the highest value, to count, to place.
    expect(pieces).toBeGreaterThan((3 * rows) / 16_384);
    expect(result).toEqual(whole());
  });

  it("pauses in the search for leaks, also inside one large group", () => {
    const groups = [Array.from({ length: rows }, (_, row) => row)];
    const assignment = stratifiedSplit(values, shares, 3);
    const { result, pieces } = driven(findLeaksSteps(groups, assignment, (row) => values[row] ?? 0));
    expect(pieces).toBeGreaterThan(rows / 16_384);
    expect(result).toMatchObject({ duplicateRows: rows - 1, acrossSplits: 1, conflictingLabels: 1 });
  });
});

describe("finding leaks", () => {
  it("counts equal rows, contents in two parts and contents with two labels, the worst first", () => {
    const labels = [0, 0, 1, 0, 0, 0];
    const found = findLeaks(
      [
        [0, 1],
        [2, 3],
        [4, 5],
      ],
      Uint8Array.of(0, 0, 0, 2, 1, 2),
      (row) => labels[row] ?? -1,
    );
    expect(found).toEqual({
      duplicateRows: 3,
      acrossSplits: 2,
      conflictingLabels: 1,
      examples: [
        { rows: [2, 3], parts: [0, 2] },
        { rows: [4, 5], parts: [1, 2] },
        { rows: [0, 1], parts: [0, 0] },
      ],
    });
  });
});
