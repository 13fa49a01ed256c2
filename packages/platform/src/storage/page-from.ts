import type { Page } from "../foundation/index.ts";

/** A page from the rows of a query that asked for one more than its limit: the surplus row says that there is a next page. */
export const pageFrom = <Row, T>(
  rows: readonly Row[],
  limit: number,
  read: { readonly item: (row: Row) => T; readonly cursor: (row: Row) => string },
): Page<T> => {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    items: shown.map((row) => read.item(row)),
    next: rows.length > limit && last !== undefined ? read.cursor(last) : null,
  };
};
