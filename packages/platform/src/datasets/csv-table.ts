import type { DigestText } from "../foundation/index.ts";
import { ColumnGuess, type CsvKind } from "./infer-column.ts";
import type { ImportSession } from "./import-session.ts";

/** Characters after which a group of rows leaves memory: few enough to read back within a few milliseconds. */
const groupCharacters = 1024 * 1024;

/** Rows of text, kept until the kinds of the columns are known: beyond a few megabytes in the blob store. */
export class CsvSpool {
  readonly #session: ImportSession;
  readonly #columns: number;
  readonly #spooled: DigestText[] = [];
  #cells: string[] = [];
  #characters = 0;
  rows = 0;

  constructor(session: ImportSession, columns: number) {
    this.#session = session;
    this.#columns = columns;
  }

  /** Appends a row. */
  async push(record: readonly string[]): Promise<void> {
    for (const cell of record) {
      this.#cells.push(cell);
      this.#characters += cell.length + 8;
    }
    this.rows++;
    if (this.#characters < groupCharacters) return;
    const blob = await this.#session.store(Buffer.from(JSON.stringify(this.#cells)));
    this.#spooled.push(blob.digest);
    this.#cells = [];
    this.#characters = 0;
  }

  /** Gives the rows back in groups; each group is the cells row after row. */
  async *groups(): AsyncGenerator<{ readonly cells: readonly string[]; readonly rows: number }> {
    for (const digest of this.#spooled) {
      // Written above from an array of strings, and its digest is proved.
      const cells = JSON.parse(new TextDecoder().decode(await this.#session.blobs.get(digest))) as string[];
      yield { cells, rows: cells.length / this.#columns };
    }
    if (this.#cells.length > 0) yield { cells: this.#cells, rows: this.#cells.length / this.#columns };
  }
}

/** What the import's options say about columns. */
export interface CsvColumnOptions {
  readonly target: string | null;
  readonly kinds: Readonly<Record<string, CsvKind>>;
}

/** Begins watching the columns of a table. */
export const startGuesses = (names: readonly string[], options: CsvColumnOptions): ColumnGuess[] =>
  names.map((name) => new ColumnGuess({ wanted: options.kinds[name], isTarget: name === options.target }));
