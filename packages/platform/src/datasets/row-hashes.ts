import { hash } from "node:crypto";

/** Bytes kept of each row's SHA-256. */
const hashBytes = 16;

/** Content hash of every row, packed. */
export class RowHashes {
  #bytes = new Uint8Array(hashBytes * 1024);
  #rows = 0;

  /** Number of rows. */
  get rows(): number {
    return this.#rows;
  }

  /** Adds one row by its content. */
  push(content: Uint8Array | string): void {
    this.#add(hash("sha256", content, "buffer"));
  }

  /** Adds rows of one size that lie one after the other. */
  pushRows(rows: Uint8Array, rowBytes: number): void {
    for (let start = 0; start < rows.byteLength; start += rowBytes) this.push(rows.subarray(start, start + rowBytes));
  }

  /** Hash of a row as hexadecimal text. */
  at(row: number): string {
    return Buffer.from(this.#bytes.buffer, row * hashBytes, hashBytes).toString("hex");
  }

  /** Hashes of all rows, one part after the other. */
  static concat(parts: readonly RowHashes[]): RowHashes {
    const all = new RowHashes();
    all.#rows = parts.reduce((sum, part) => sum + part.#rows, 0);
    all.#bytes = new Uint8Array(Math.max(1, all.#rows) * hashBytes);
    let row = 0;
    for (const part of parts) {
      all.#bytes.set(part.#bytes.subarray(0, part.#rows * hashBytes), row * hashBytes);
      row += part.#rows;
    }
    return all;
  }

  /** The same hashes in another order of rows. */
  reordered(order: Uint32Array): RowHashes {
    const all = new RowHashes();
    for (const row of order) all.#add(this.#view(row));
    return all;
  }

  /**
   * Groups of rows with equal content, each in ascending order, only where there are at least two.
   * An open-addressing table over the hashes: 8 bytes a row beside the hashes themselves.
   * @param breathe Called now and then, to let others have the thread.
   */
  async duplicateGroups(breathe: () => Promise<void> = async () => {}): Promise<number[][]> {
    const words = new Uint32Array(this.#bytes.buffer, 0, this.#rows * 4);
    const capacity = 2 ** Math.ceil(Math.log2(Math.max(2, this.#rows * 2)));
    const table = new Int32Array(capacity).fill(-1);
    const groups = new Map<number, number[]>();
    for (let row = 0; row < this.#rows; row++) {
      if (row % 16_384 === 0) await breathe();
      let slot = (words[row * 4] as number) & (capacity - 1);
      while (table[slot] !== -1 && !this.#equal(words, table[slot] as number, row)) slot = (slot + 1) & (capacity - 1);
      const first = table[slot] as number;
      if (first === -1) {
        table[slot] = row;
        continue;
      }
      const group = groups.get(first);
      if (group === undefined) groups.set(first, [first, row]);
      else group.push(row);
    }
    return [...groups.values()];
  }

  #equal(words: Uint32Array, a: number, b: number): boolean {
    for (let word = 0; word < 4; word++) if (words[a * 4 + word] !== words[b * 4 + word]) return false;
    return true;
  }

  #view(row: number): Uint8Array {
    return this.#bytes.subarray(row * hashBytes, (row + 1) * hashBytes);
  }

  #add(digest: Uint8Array): void {
    const start = this.#rows * hashBytes;
    if (start + hashBytes > this.#bytes.byteLength) {
      const grown = new Uint8Array(this.#bytes.byteLength * 2);
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#bytes.set(digest.subarray(0, hashBytes), start);
    this.#rows++;
  }
}
