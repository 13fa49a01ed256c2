import { PlatformError } from "../foundation/index.ts";
import { PackedSink } from "./column-sink.ts";
import { CategoryStatistics } from "./column-statistics.ts";
import type { ImportSession } from "./import-session.ts";
import type { ImportedColumn } from "./imported-table.ts";

/** Values of a category column as indices, -1 for missing. */
export interface CategoryValues {
  readonly indices: Int32Array;
  readonly categories: readonly string[];
}

const blockRows = 65_536;

/** Bytes of 32-bit integers in the stored order of bytes. */
export const littleEndianInt32 = (values: Int32Array): Uint8Array => {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  values.forEach((value, index) => view.setInt32(index * 4, value, true));
  return bytes;
};

/** Stores a category column. */
export const writeCategoryColumn = async (
  session: ImportSession,
  name: string,
  values: CategoryValues,
): Promise<ImportedColumn> => {
  const sink = new PackedSink(session, 4);
  const statistics = new CategoryStatistics(values.categories);
  for (let start = 0; start < values.indices.length; start += blockRows) {
    const block = values.indices.subarray(start, start + blockRows);
    for (const index of block) statistics.add(index);
    sink.push(littleEndianInt32(block));
    await sink.drain();
    await session.breathe();
  }
  return {
    column: { kind: "category", name, categories: [...values.categories] },
    encoding: "packed",
    segments: await sink.finish(),
    profile: statistics.profile(name),
  };
};

/**
 * Gives class numbers their names: those of the import's options, else the numbers themselves.
 * @throws PlatformError `dataset-mismatch` when a number has no name.
 */
export const nameClasses = (indices: Int32Array, names: readonly string[] | undefined): CategoryValues => {
  let highest = -1;
  for (const index of indices) {
    if (index < 0) throw new PlatformError("dataset-mismatch", `A label is ${index}; class numbers start at 0.`);
    if (index > highest) highest = index;
  }
  if (names === undefined) {
    return { indices, categories: Array.from({ length: highest + 1 }, (_, index) => String(index)) };
  }
  if (highest >= names.length) {
    throw new PlatformError(
      "dataset-mismatch",
      `Row ${indices.indexOf(highest)} has the class number ${highest}, but the option labels names only ` +
        `${names.length} classes (0 to ${names.length - 1}). Name every class.`,
    );
  }
  return { indices, categories: names };
};

/**
 * Checks that the column to predict exists.
 * @returns Its name, or `fallback` when none was asked for.
 * @throws PlatformError `column-unknown` naming the columns there are.
 */
export const chooseTarget = <T extends string | null>(
  asked: string | undefined,
  columns: readonly string[],
  fallback: T,
): string | T => {
  if (asked === undefined) return fallback;
  if (columns.includes(asked)) return asked;
  throw new PlatformError(
    "column-unknown",
    `The target ${JSON.stringify(asked)} is no column of the data. Columns are: ${columns.slice(0, 100).join(", ")}.`,
  );
};
