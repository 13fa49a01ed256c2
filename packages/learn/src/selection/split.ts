import { LearnError } from "../errors.ts";
import { createRandom, type Random } from "../random.ts";

/** Shares of the rows; they sum to 1. */
export interface SplitShares {
  readonly train: number;
  readonly validation: number;
  readonly test: number;
}

/** Part of a row in an assignment: 0 train, 1 validation, 2 test. */
const parts = { train: 0, validation: 1, test: 2 } as const;

const checkShares = ({ train, validation, test }: SplitShares): void => {
  const fits = [train, validation, test].every((share) => share >= 0 && share <= 1);
  if (fits && Math.abs(train + validation + test - 1) < 1e-6) return;
  throw new LearnError(
    "split-invalid",
    `The shares must each be between 0 and 1 and sum to 1; got train ${train}, validation ${validation}, test ${test}.`,
  );
};

const checkTrain = (assignment: Uint8Array, shares: SplitShares): Uint8Array => {
  if (shares.train === 0 || assignment.includes(parts.train)) return assignment;
  throw new LearnError(
    "split-invalid",
    `No row is left for training: ${assignment.length} rows with a share of ${shares.train}. Give more data or other shares.`,
  );
};

const rowsIn = (indices: Uint32Array, random: Random): Uint32Array =>
  random.permutation(indices.length).map((position) => indices[position] as number);

/**
 * Deals rows at random.
 * @param rows Number of rows.
 * @param seed Equal seeds give equal assignments.
 * @returns One byte a row: 0 train, 1 validation, 2 test.
 * @throws LearnError `split-invalid` when the shares do not sum to 1 or no row is left for training.
 */
export const randomSplit = (rows: number, shares: SplitShares, seed: number): Uint8Array =>
  stratifiedSplit(new Int32Array(rows), shares, seed);

/**
 * Deals rows so that every class stands in every part in its share, to within one row; a class of one row is for
 * training.
 * @param classes Class of each row; -1 (missing) counts as a class of its own.
 * @param seed Equal seeds give equal assignments.
 * @returns One byte a row: 0 train, 1 validation, 2 test.
 * @throws LearnError `split-invalid` when the shares do not sum to 1 or no row is left for training.
 */
export const stratifiedSplit = (classes: Int32Array, shares: SplitShares, seed: number): Uint8Array => {
  checkShares(shares);
  const random = createRandom(seed);
  const assignment = new Uint8Array(classes.length);
  let seen = 0;
  const dealt = { validation: 0, test: 0 };
  for (const indices of rowsByValue(classes)) {
    const size = indices.length;
    if (size < 2) continue;
    seen += size;
    // Rounding the running total instead of each class keeps the parts' sizes right over many small classes.
    const validation = Math.min(size, Math.max(0, Math.round(seen * shares.validation) - dealt.validation));
    const test = Math.min(size - validation, Math.max(0, Math.round(seen * shares.test) - dealt.test));
    dealt.validation += validation;
    dealt.test += test;
    const order = rowsIn(indices, random);
    for (let i = 0; i < validation + test; i++) {
      assignment[order[i] as number] = i < validation ? parts.validation : parts.test;
    }
  }
  return checkTrain(assignment, shares);
};

/** Rows of each distinct value, values in ascending order. */
const rowsByValue = (values: Int32Array): Uint32Array[] => {
  const counts = new Map<number, number>();
  for (let row = 0; row < values.length; row++) {
    const value = values[row] as number;
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  const sorted = [...counts].sort(([a], [b]) => a - b);
  const groups = new Map(sorted.map(([value, count]) => [value, { rows: new Uint32Array(count), filled: 0 }]));
  for (let row = 0; row < values.length; row++) {
    const group = groups.get(values[row] as number);
    if (group !== undefined) group.rows[group.filled++] = row;
  }
  return [...groups.values()].map((group) => group.rows);
};

/**
 * Deals whole groups, so that no group stands in two parts: the largest first, each to the part that lacks most.
 * @param groups Group of each row.
 * @param seed Decides between groups of one size; equal seeds give equal assignments.
 * @returns One byte a row: 0 train, 1 validation, 2 test.
 * @throws LearnError `split-invalid` when the shares do not sum to 1 or there are too few groups.
 */
export const groupSplit = (groups: Int32Array, shares: SplitShares, seed: number): Uint8Array => {
  checkShares(shares);
  const byGroup = rowsByValue(groups);
  const shuffled = [...createRandom(seed).permutation(byGroup.length)].map((index) => byGroup[index] as Uint32Array);
  const lacking = [shares.train, shares.validation, shares.test].map((share) => share * groups.length);
  const needed = lacking.filter((rows) => rows > 0).length;
  if (byGroup.length < needed) {
    throw new LearnError(
      "split-invalid",
      `${byGroup.length} group(s) cannot fill ${needed} parts. Choose another group column or fewer parts.`,
    );
  }
  const assignment = new Uint8Array(groups.length);
  const dealt = [0, 0, 0];
  shuffled
    .sort((a, b) => b.length - a.length)
    .forEach((rows, index) => {
      // The last groups go where nothing is yet, so that no part stays empty.
      const empty = [0, 1, 2].filter((part) => (lacking[part] ?? 0) > 0 && dealt[part] === 0);
      const candidates = byGroup.length - index <= empty.length ? empty : [0, 1, 2];
      const left = (part: number): number => (lacking[part] ?? 0) - (dealt[part] ?? 0);
      const chosen = candidates.reduce((best, part) => (left(part) > left(best) ? part : best));
      dealt[chosen] = (dealt[chosen] ?? 0) + rows.length;
      for (const row of rows) assignment[row] = chosen;
    });
  return checkTrain(assignment, shares);
};
