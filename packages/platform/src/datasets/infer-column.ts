/** What a CSV column is taken for. */
export type CsvKind = "number" | "category" | "text";

/** Most categories that are guessed; a target or a declared category may have more. */
const guessedCategoriesMax = 1000;
/** Most categories of a target or a declared category. */
const categoriesMax = 100_000;

const numberPattern = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const leadingZero = /^[+-]?0\d/;
const missingNumbers: ReadonlySet<string> = new Set(["", "NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "None"]);

/** Whether a cell of a number column says that the value is missing. */
export const isMissingNumber = (cell: string): boolean => missingNumbers.has(cell);

/**
 * Whether a cell is a number and nothing else: no leading zeros (`007` is a code), and no whole number that float64
 * would round (long identifiers stay texts).
 */
export const isNumber = (cell: string): boolean => {
  if (!numberPattern.test(cell) || leadingZero.test(cell)) return false;
  const value = Number(cell);
  return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value) || /[.eE]/.test(cell));
};

/** Whether a cell can be read as a number where one was declared: leading zeros and rounding are then meant. */
const isReadable = (cell: string): boolean => numberPattern.test(cell) && Number.isFinite(Number(cell));

/** Watches the cells of one column and says what it holds. */
export class ColumnGuess {
  readonly #wanted: CsvKind | undefined;
  readonly #isTarget: boolean;
  readonly #distinct = new Set<string>();
  #present = 0;
  #numeric = true;
  /** First cell that is no number, for the error where a number was declared. */
  firstNonNumber: { readonly row: number; readonly cell: string } | null = null;

  constructor(options: { readonly wanted?: CsvKind | undefined; readonly isTarget: boolean }) {
    this.#wanted = options.wanted;
    this.#isTarget = options.isTarget;
  }

  /** Looks at a cell. */
  add(cell: string, row: number): void {
    if (cell === "") return;
    this.#present++;
    const fits = this.#wanted === "number" ? isReadable : isNumber;
    if (this.#numeric && !isMissingNumber(cell) && !fits(cell)) {
      this.#numeric = false;
      this.firstNonNumber = { row, cell };
    }
    const limit = this.#isTarget || this.#wanted === "category" ? categoriesMax : guessedCategoriesMax;
    if (this.#distinct.size <= limit) this.#distinct.add(cell);
  }

  /** What the column holds. */
  kind(): CsvKind {
    if (this.#wanted !== undefined) return this.#wanted;
    if (this.#numeric) return "number";
    const distinct = this.#distinct.size;
    if (this.#isTarget) return distinct <= categoriesMax ? "category" : "text";
    const repeats = distinct < this.#present && distinct <= Math.max(10, this.#present / 2);
    return repeats && distinct <= guessedCategoriesMax ? "category" : "text";
  }

  /** The categories: by value when all are numbers, else by code point. Null when there are too many. */
  categories(): string[] | null {
    if (this.#distinct.size > categoriesMax) return null;
    const cells = [...this.#distinct];
    return cells.every(isNumber) ? cells.sort((a, b) => Number(a) - Number(b) || (a < b ? -1 : 1)) : cells.sort();
  }
}
