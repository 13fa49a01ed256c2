import type { ColumnProfile, ImportDataset } from "@modelyard/contracts";
import type { UploadedFile } from "../foundation/index.ts";
import type { StoredColumn } from "./dataset-manifest.ts";
import type { ImportSession } from "./import-session.ts";
import type { RowHashes } from "./row-hashes.ts";

/** A column whose rows are stored, with what was seen while reading. */
export interface ImportedColumn extends StoredColumn {
  readonly profile: ColumnProfile;
}

/** What a format reader makes of the uploaded files. */
export interface ImportedTable {
  readonly rows: number;
  readonly columns: readonly ImportedColumn[];
  readonly target: string | null;
  /** Content of each row without its target. */
  readonly hashes: RowHashes;
  /** Split per row as the files give it (0 train, 1 validation, 2 test), or `null` when they do not. */
  readonly givenSplit: Uint8Array | null;
}

/** Options that every reader gets. */
export type ImportOptions = ImportDataset;

/** Reads the uploaded files of one format into stored columns. */
export type FormatReader = (
  session: ImportSession,
  files: AsyncIterable<UploadedFile>,
  options: ImportOptions,
) => Promise<ImportedTable>;
