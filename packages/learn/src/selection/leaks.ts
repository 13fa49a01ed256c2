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
): Leaks => {
  let duplicateRows = 0;
  let acrossSplits = 0;
  let conflictingLabels = 0;
  const judged = groups.map((rows) => {
    const parts = new Set(rows.map((row) => assignment[row] as number));
    const conflicts = labelOf !== undefined && new Set(rows.map(labelOf)).size > 1;
    duplicateRows += rows.length - 1;
    if (parts.size > 1) acrossSplits++;
    if (conflicts) conflictingLabels++;
    return { rows, weight: (parts.size > 1 ? 2 : 0) + (conflicts ? 1 : 0) };
  });
  const examples = judged
    .sort((a, b) => b.weight - a.weight || (a.rows[0] ?? 0) - (b.rows[0] ?? 0))
    .slice(0, examplesMax)
    .map(({ rows }) => {
      const shown = rows.slice(0, rowsPerExampleMax);
      return { rows: shown, parts: shown.map((row) => assignment[row] as number) };
    });
  return { duplicateRows, acrossSplits, conflictingLabels, examples };
};
