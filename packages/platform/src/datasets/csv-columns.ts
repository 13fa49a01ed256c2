import { csvInvalid } from "./csv-records.ts";
import { littleEndianInt32 } from "./category-column.ts";
import { OffsetSink, PackedSink, segmentBytes } from "./column-sink.ts";
import { CategoryStatistics, NumberStatistics, TextStatistics } from "./column-statistics.ts";
import type { ImportSession } from "./import-session.ts";
import type { ImportedColumn } from "./imported-table.ts";
import { type ColumnGuess, type CsvKind, isMissingNumber } from "./infer-column.ts";

/** Turns the cells of one column into its stored form. */
export interface CsvColumnWriter {
  /** Takes the column's cells of a group of rows. */
  write(cells: readonly string[]): Promise<void>;
  finish(): Promise<ImportedColumn>;
}

/** Segments of wide tables are smaller, so that all columns together stay within bounds. */
const limitFor = (columns: number): number =>
  Math.min(segmentBytes, Math.max(64 * 1024, Math.floor((8 * segmentBytes) / columns)));

const numberWriter = (session: ImportSession, name: string, limitBytes: number): CsvColumnWriter => {
  const sink = new PackedSink(session, 8, limitBytes);
  const statistics = new NumberStatistics();
  return {
    write: async (cells) => {
      const values = new Float64Array(cells.length);
      cells.forEach((cell, row) => {
        const value = isMissingNumber(cell) ? Number.NaN : Number(cell);
        values[row] = value;
        statistics.add(value);
      });
      statistics.addRows(cells.length);
      sink.push(new Uint8Array(values.buffer));
      await sink.drain();
    },
    finish: async () => ({
      column: { kind: "number", name },
      encoding: "packed",
      segments: await sink.finish(),
      profile: statistics.profile(name),
    }),
  };
};

const categoryWriter = (
  session: ImportSession,
  { name, categories }: { readonly name: string; readonly categories: string[] },
  limitBytes: number,
): CsvColumnWriter => {
  const sink = new PackedSink(session, 4, limitBytes);
  const statistics = new CategoryStatistics(categories);
  const indexOf = new Map(categories.map((category, index) => [category, index]));
  return {
    write: async (cells) => {
      const indices = Int32Array.from(cells, (cell) => indexOf.get(cell) ?? -1);
      for (const index of indices) statistics.add(index);
      sink.push(littleEndianInt32(indices));
      await sink.drain();
    },
    finish: async () => ({
      column: { kind: "category", name, categories },
      encoding: "packed",
      segments: await sink.finish(),
      profile: statistics.profile(name),
    }),
  };
};

const textWriter = (session: ImportSession, name: string, limitBytes: number): CsvColumnWriter => {
  const sink = new OffsetSink(session, limitBytes);
  const statistics = new TextStatistics();
  return {
    write: async (cells) => {
      for (const cell of cells) {
        statistics.add(cell);
        sink.push(Buffer.from(cell));
      }
      await sink.drain();
    },
    finish: async () => ({
      column: { kind: "text", name },
      encoding: "offsets",
      segments: await sink.finish(),
      profile: statistics.profile(name),
    }),
  };
};

const checkedKind = (name: string, guess: ColumnGuess): CsvKind => {
  const kind = guess.kind();
  const odd = guess.firstNonNumber;
  if (kind === "number" && odd !== null) {
    throw csvInvalid(
      `Column ${name}`,
      `It is declared a number, but row ${odd.row} holds ${JSON.stringify(odd.cell.slice(0, 80))}. ` +
        "Mend the value, leave it empty, or declare the column a category or text.",
    );
  }
  return kind;
};

/** Makes the writer of a column from what was seen in it. */
export const csvColumnWriter = (
  session: ImportSession,
  { name, guess }: { readonly name: string; readonly guess: ColumnGuess },
  columns: number,
): CsvColumnWriter => {
  const limitBytes = limitFor(columns);
  switch (checkedKind(name, guess)) {
    case "number":
      return numberWriter(session, name, limitBytes);
    case "category": {
      const categories = guess.categories();
      if (categories !== null) return categoryWriter(session, { name, categories }, limitBytes);
      throw csvInvalid(`Column ${name}`, "It has more than 100,000 categories. Declare it a text.");
    }
    case "text":
      break;
  }
  return textWriter(session, name, limitBytes);
};
