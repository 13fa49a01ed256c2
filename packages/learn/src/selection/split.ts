import { LearnError } from "../errors.ts";
import { createRandom, type Random } from "../random.ts";
import { finish, rowsPerStep, type Stepwise } from "./steps.ts";

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

/** Puts rows into a random order, in place (Fisher and Yates). */
function* shuffle(rows: Uint32Array, random: Random): Stepwise<void> {
  for (let i = rows.length - 1; i > 0; i--) {
    const j = random.integerBelow(i + 1);
    const swapped = rows[i] as number;
    rows[i] = rows[j] as number;
    rows[j] = swapped;
    if (i % rowsPerStep === 0) yield;
  }
}

/** Rows sorted by their value, with where each value's rows begin. */
interface RowsByValue {
  readonly rows: Uint32Array;
  /** First row of value v at index v + 1; one more at the end. */
  readonly starts: Uint32Array;
}

/** Sorts rows by their values by counting; values are whole numbers from −1 up, without large gaps. */
function* sortByValue(values: Int32Array): Stepwise<RowsByValue> {
  let highest = -1;
  for (let row = 0; row < values.length; row++) {
    if ((values[row] as number) > highest) highest = values[row] as number;
    if (row % rowsPerStep === 0) yield;
  }
  const starts = new Uint32Array(highest + 3);
  for (let row = 0; row < values.length; row++) {
    const next = (values[row] as number) + 2;
    starts[next] = (starts[next] as number) + 1;
    if (row % rowsPerStep === 0) yield;
  }
  for (let value = 1; value < starts.length; value++) {
    starts[value] = (starts[value] as number) + (starts[value - 1] as number);
    if (value % rowsPerStep === 0) yield;
  }
  const filled = starts.slice();
  const rows = new Uint32Array(values.length);
  for (let row = 0; row < values.length; row++) {
    const at = (values[row] as number) + 1;
    rows[filled[at] as number] = row;
    filled[at] = (filled[at] as number) + 1;
    if (row % rowsPerStep === 0) yield;
  }
  return { rows, starts };
}

/** {@link stratifiedSplit} in small pieces. */
export function* stratifiedSplitSteps(classes: Int32Array, shares: SplitShares, seed: number): Stepwise<Uint8Array> {
  checkShares(shares);
  const random = createRandom(seed);
  const assignment = new Uint8Array(classes.length);
  const { rows, starts } = yield* sortByValue(classes);
  let seen = 0;
  const dealt = { validation: 0, test: 0 };
  for (let value = 0; value + 1 < starts.length; value++) {
    if (value % rowsPerStep === 0) yield;
    const own = rows.subarray(starts[value], starts[value + 1]);
    const size = own.length;
    if (size < 2) continue;
    seen += size;
    // Rounding the running total instead of each class keeps the parts' sizes right over many small classes.
    const validation = Math.min(size, Math.max(0, Math.round(seen * shares.validation) - dealt.validation));
    const test = Math.min(size - validation, Math.max(0, Math.round(seen * shares.test) - dealt.test));
    dealt.validation += validation;
    dealt.test += test;
    yield* shuffle(own, random);
    for (let i = 0; i < validation + test; i++) {
      assignment[own[i] as number] = i < validation ? parts.validation : parts.test;
    }
  }
  return checkTrain(assignment, shares);
}

/**
 * Deals rows so that every class stands in every part in its share, to within one row; a class of one row is for
 * training.
 * @param classes Class of each row, a number from 0 up; -1 (missing) counts as a class of its own.
 * @param seed Equal seeds give equal assignments.
 * @returns One byte a row: 0 train, 1 validation, 2 test.
 * @throws LearnError `split-invalid` when the shares do not sum to 1 or no row is left for training.
 */
export const stratifiedSplit = (classes: Int32Array, shares: SplitShares, seed: number): Uint8Array =>
  finish(stratifiedSplitSteps(classes, shares, seed));

/** {@link randomSplit} in small pieces. */
export const randomSplitSteps = (rows: number, shares: SplitShares, seed: number): Stepwise<Uint8Array> =>
  stratifiedSplitSteps(new Int32Array(rows), shares, seed);

/**
 * Deals rows at random.
 * @param rows Number of rows.
 * @param seed Equal seeds give equal assignments.
 * @returns One byte a row: 0 train, 1 validation, 2 test.
 * @throws LearnError `split-invalid` when the shares do not sum to 1 or no row is left for training.
 */
export const randomSplit = (rows: number, shares: SplitShares, seed: number): Uint8Array =>
  finish(randomSplitSteps(rows, shares, seed));

/** Groups in a random order, the larger ones first. */
function* dealingOrder(starts: Uint32Array, random: Random): Stepwise<Uint32Array> {
  const sizeOf = (group: number): number => (starts[group + 1] as number) - (starts[group] as number);
  const groups = Uint32Array.from({ length: starts.length - 1 }, (_, group) => group).filter(
    (group) => sizeOf(group) > 0,
  );
  yield* shuffle(groups, random);
  const largest = groups.reduce((size, group) => Math.max(size, sizeOf(group)), 0);
  const { rows: order } = yield* sortByValue(Int32Array.from(groups, (group) => largest - sizeOf(group)));
  return order.map((at) => groups[at] as number);
}

/** {@link groupSplit} in small pieces. */
export function* groupSplitSteps(groups: Int32Array, shares: SplitShares, seed: number): Stepwise<Uint8Array> {
  checkShares(shares);
  const { rows, starts } = yield* sortByValue(groups);
  const order = yield* dealingOrder(starts, createRandom(seed));
  const lacking = [shares.train, shares.validation, shares.test].map((share) => share * groups.length);
  const needed = lacking.filter((count) => count > 0).length;
  if (order.length < needed) {
    throw new LearnError(
      "split-invalid",
      `${order.length} group(s) cannot fill ${needed} parts. Choose another group column or fewer parts.`,
    );
  }
  const assignment = new Uint8Array(groups.length);
  const dealt = [0, 0, 0];
  for (const [index, group] of order.entries()) {
    if (index % 1024 === 0) yield;
    const own = rows.subarray(starts[group], starts[group + 1]);
    // The last groups go where nothing is yet, so that no part stays empty.
    const empty = [0, 1, 2].filter((part) => (lacking[part] ?? 0) > 0 && dealt[part] === 0);
    const candidates = order.length - index <= empty.length ? empty : [0, 1, 2];
    const left = (part: number): number => (lacking[part] ?? 0) - (dealt[part] ?? 0);
    const chosen = candidates.reduce((best, part) => (left(part) > left(best) ? part : best));
    dealt[chosen] = (dealt[chosen] ?? 0) + own.length;
    for (const row of own) assignment[row] = chosen;
  }
  return checkTrain(assignment, shares);
}

/**
 * Deals whole groups, so that no group stands in two parts: the largest first, each to the part that lacks most.
 * @param groups Group of each row, a number from 0 up; -1 (missing) counts as a group of its own.
 * @param seed Decides between groups of one size; equal seeds give equal assignments.
 * @returns One byte a row: 0 train, 1 validation, 2 test.
 * @throws LearnError `split-invalid` when the shares do not sum to 1 or there are too few groups.
 */
export const groupSplit = (groups: Int32Array, shares: SplitShares, seed: number): Uint8Array =>
  finish(groupSplitSteps(groups, shares, seed));
