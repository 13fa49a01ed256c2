import type { Slice } from "@modelyard/contracts";

/** The values of a category column in the rows that a model is judged on. */
export interface SliceColumn {
  readonly column: string;
  readonly categories: readonly string[];
  /** [rows], index into the categories, -1 where the value is missing. */
  readonly values: Int32Array;
}

/** Judges the rows of each category by themselves; categories without a row are left out. */
export const sliceRows = (
  columns: readonly SliceColumn[],
  judge: (rows: readonly number[]) => Slice["figures"],
): Slice[] | null => {
  if (columns.length === 0) return null;
  return columns.flatMap(({ column, categories, values }) => {
    const groups = new Map<number, number[]>();
    values.forEach((value, row) => {
      const group = groups.get(value);
      if (group === undefined) groups.set(value, [row]);
      else group.push(row);
    });
    return [...groups]
      .sort(([a], [b]) => a - b)
      .map(([value, rows]) => ({
        column,
        category: categories[value] ?? null,
        rows: rows.length,
        figures: judge(rows),
      }));
  });
};
