import { finish, type Stepwise } from "./steps.ts";

/** What equal rows mean for a split. */
export interface Leaks {
  /** Rows that equal an earlier row. */
  readonly duplicateRows: number;
  /** Distinct contents that stand in more than one part of the split. */
  readonly acrossSplits: number;
  /** Contents that carry more than one label. */
  readonly conflictingLabels: number;
  /** A few groups of equal rows with the part of each, the most telling first. */
  readonly examples: readonly { readonly rows: readonly number[]; readonly parts: readonly number[] }[];
}

const examplesMax = 10;
const rowsPerExampleMax = 10;

type Example = Leaks["examples"][number] & { readonly weight: number };

/** Whether one example tells more than another; of equal ones the one that stands first. */
const tellsMore = (a: Example, b: Example): boolean =>
  a.weight !== b.weight ? a.weight > b.weight : (a.rows[0] ?? 0) < (b.rows[0] ?? 0);

/** Keeps the most telling examples only, in order. */
const keepExample = (kept: Example[], example: Example): void => {
  const place = kept.findIndex((other) => tellsMore(example, other));
  if (place >= 0) kept.splice(place, 0, example);
  else if (kept.length < examplesMax) kept.push(example);
  if (kept.length > examplesMax) kept.pop();
};

/** {@link findLeaks} in small pieces. */
export function* findLeaksSteps(
  groups: readonly (readonly number[])[],
  assignment: Uint8Array,
  labelOf?: (row: number) => number | string,
): Stepwise<Leaks> {
  const counts = { duplicateRows: 0, acrossSplits: 0, conflictingLabels: 0 };
  const kept: Example[] = [];
  let looked = 0;
  for (const rows of groups) {
    const parts = new Set<number>();
    const labels = new Set<number | string>();
    for (const row of rows) {
      parts.add(assignment[row] as number);
      if (labelOf !== undefined) labels.add(labelOf(row));
      if (looked++ % 4096 === 0) yield;
    }
    counts.duplicateRows += rows.length - 1;
    if (parts.size > 1) counts.acrossSplits++;
    if (labels.size > 1) counts.conflictingLabels++;
    const shown = rows.slice(0, rowsPerExampleMax);
    const weight = (parts.size > 1 ? 2 : 0) + (labels.size > 1 ? 1 : 0);
    keepExample(kept, { rows: shown, parts: shown.map((row) => assignment[row] as number), weight });
  }
  return { ...counts, examples: kept.map(({ rows, parts }) => ({ rows, parts })) };
}

/**
 * Judges groups of equal rows.
 * @param groups Row numbers of equal contents, at least two in each group.
 * @param assignment Part of each row: 0 train, 1 validation, 2 test.
 * @param labelOf Label of a row, or `undefined` when the data has none.
 */
export const findLeaks = (
  groups: readonly (readonly number[])[],
  assignment: Uint8Array,
  labelOf?: (row: number) => number | string,
): Leaks => finish(findLeaksSteps(groups, assignment, labelOf));
