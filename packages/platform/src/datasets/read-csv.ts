import type { SplitName } from "@modelyard/contracts";
import { PlatformError, type UploadedFile } from "../foundation/index.ts";
import { chooseTarget } from "./category-column.ts";
import { csvColumnWriter } from "./csv-columns.ts";
import { csvInvalid, csvRecords } from "./csv-records.ts";
import { CsvSpool, startGuesses } from "./csv-table.ts";
import { splitNames } from "./dataset-manifest.ts";
import { splitOfFile } from "./file-role.ts";
import type { ImportSession } from "./import-session.ts";
import type { FormatReader, ImportedTable, ImportOptions } from "./imported-table.ts";
import type { ColumnGuess } from "./infer-column.ts";
import { RowHashes } from "./row-hashes.ts";
import { contentOf } from "./upload-source.ts";

interface Part {
  readonly file: string;
  readonly split: SplitName | null;
  readonly spool: CsvSpool;
}

interface Table {
  names: readonly string[];
  guesses: readonly ColumnGuess[];
  target: string | null;
  readonly parts: Part[];
}

/** Names of the columns: trimmed, and `column 3` where the header has none. */
const columnNames = (header: readonly string[], file: string): string[] => {
  const names = header.map((name, index) => (name.trim() === "" ? `column ${index + 1}` : name.trim()));
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw csvInvalid(file, `Two columns are called ${JSON.stringify(twice)}. Rename one.`);
  return names;
};

const startTable = (table: Table, names: readonly string[], options: ImportOptions): void => {
  table.names = names;
  table.target = chooseTarget(options.target, names, null);
  for (const name of Object.keys(options.kinds ?? {})) chooseTarget(name, names, null);
  table.guesses = startGuesses(names, { target: table.target, kinds: options.kinds ?? {} });
};

const checkSameHeader = (table: Table, names: readonly string[], file: string): void => {
  if (names.length === table.names.length && names.every((name, index) => name === table.names[index])) return;
  throw new PlatformError(
    "dataset-mismatch",
    `${file} has the columns ${names.join(", ")}, but the file before it ${table.names.join(", ")}. ` +
      "All files of an import need the same header.",
  );
};

const readFile = async (
  session: ImportSession,
  file: UploadedFile,
  { table, options }: { readonly table: Table; readonly options: ImportOptions },
): Promise<void> => {
  const source = { file: file.name, content: contentOf(file, session), delimiter: options.delimiter };
  let spool: CsvSpool | undefined;
  for await (const record of csvRecords(source, session)) {
    if (spool === undefined) {
      const names = columnNames(record, file.name);
      if (table.parts.length === 0) startTable(table, names, options);
      else checkSameHeader(table, names, file.name);
      spool = new CsvSpool(session, names.length);
      table.parts.push({ file: file.name, split: splitOfFile(file.name), spool });
      continue;
    }
    record.forEach((cell, column) => table.guesses[column]?.add(cell, session.rows + 1));
    await spool.push(record);
    session.rows++;
  }
  if (spool === undefined) throw new PlatformError("dataset-empty", `${file.name} is empty: it has no header.`);
};

/** Several files are the parts of a split; one file is split by plan. */
const givenSplitOf = (parts: readonly Part[]): Uint8Array | null => {
  if (parts.length === 1) return null;
  const splits = parts.map((part) => part.split);
  if (splits.includes(null) || new Set(splits).size < splits.length) {
    throw new PlatformError(
      "dataset-mismatch",
      `Several CSV files are read as the parts of a split, so their names must say train, validation or test, each ` +
        `once; got ${parts.map((part) => part.file).join(", ")}. Rename them, or join them into one file.`,
    );
  }
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.spool.rows, 0));
  let row = 0;
  for (const { split, spool } of parts) {
    all.fill(splitNames.indexOf(split ?? "train"), row, row + spool.rows);
    row += spool.rows;
  }
  return all;
};

const storeColumns = async (
  session: ImportSession,
  table: Table,
  parts: readonly Part[],
): Promise<Pick<ImportedTable, "columns" | "hashes">> => {
  const { names, guesses } = table;
  const writers = names.map((name, index) => {
    const guess = guesses[index];
    if (guess === undefined) throw new TypeError("a column without a guess");
    return csvColumnWriter(session, { name, guess }, names.length);
  });
  const targetIndex = names.length > 1 && table.target !== null ? names.indexOf(table.target) : -1;
  const hashes = new RowHashes();
  session.phase = "store";
  for (const { spool } of parts) {
    for await (const { cells, rows } of spool.groups()) {
      for (let row = 0; row < rows; row++) {
        const record = cells.slice(row * names.length, (row + 1) * names.length);
        hashes.push(JSON.stringify(targetIndex === -1 ? record : record.toSpliced(targetIndex, 1)));
        await session.breathe();
      }
      for (const [column, writer] of writers.entries()) {
        await writer.write(Array.from({ length: rows }, (_, row) => cells[row * names.length + column] ?? ""));
        await session.breathe();
      }
    }
  }
  const columns = [];
  for (const writer of writers) columns.push(await writer.finish());
  return { columns, hashes };
};

/** Reads CSV files: one, or one for each part of a split (`train.csv`, `test.csv`). */
export const readCsv: FormatReader = async (session, files, options): Promise<ImportedTable> => {
  const table: Table = { names: [], guesses: [], target: null, parts: [] };
  for await (const file of files) await readFile(session, file, { table, options });
  if (table.parts.length === 0) throw new PlatformError("dataset-empty", "No file was uploaded. Give a CSV file.");
  const order = (part: Part): number => splitNames.indexOf(part.split ?? "train");
  const parts = table.parts.toSorted((a, b) => order(a) - order(b));
  const givenSplit = givenSplitOf(parts);
  const rows = parts.reduce((sum, part) => sum + part.spool.rows, 0);
  session.totalRows = rows;
  return { rows, target: table.target, givenSplit, ...(await storeColumns(session, table, parts)) };
};
