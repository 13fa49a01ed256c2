import type { Segment } from "./dataset-manifest.ts";
import type { ImportSession } from "./import-session.ts";

/** Bytes after which a segment is closed: large enough for few files, small enough to hold and hash in one go. */
export const segmentBytes: number = 8 * 1024 * 1024;

/** Cuts rows of one size into segments. Where the cuts lie depends on the rows alone, not on how they arrived. */
export class PackedSink {
  readonly #session: ImportSession;
  readonly #rowBytes: number;
  readonly #rowsPerSegment: number;
  readonly #segments: Segment[] = [];
  #buffer = new Uint8Array(0);
  #length = 0;

  constructor(session: ImportSession, rowBytes: number, limitBytes: number = segmentBytes) {
    this.#session = session;
    this.#rowBytes = rowBytes;
    this.#rowsPerSegment = Math.max(1, Math.floor(limitBytes / rowBytes));
  }

  /** Appends whole rows; call `drain` between pushes. */
  push(rows: Uint8Array): void {
    if (this.#length + rows.byteLength > this.#buffer.byteLength) {
      const grown = new Uint8Array(Math.max(65_536, this.#buffer.byteLength * 2, this.#length + rows.byteLength));
      grown.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = grown;
    }
    this.#buffer.set(rows, this.#length);
    this.#length += rows.byteLength;
  }

  /** Stores the segments that are full. */
  async drain(): Promise<void> {
    const full = this.#rowsPerSegment * this.#rowBytes;
    let start = 0;
    while (this.#length - start >= full) {
      await this.#store(this.#buffer.subarray(start, start + full));
      start += full;
    }
    if (start === 0) return;
    this.#buffer.copyWithin(0, start, this.#length);
    this.#length -= start;
  }

  /** Stores what is left and gives all segments. */
  async finish(): Promise<Segment[]> {
    await this.drain();
    if (this.#length > 0) await this.#store(this.#buffer.subarray(0, this.#length));
    this.#length = 0;
    this.#buffer = new Uint8Array(0);
    return this.#segments;
  }

  async #store(bytes: Uint8Array): Promise<void> {
    const blob = await this.#session.store(bytes);
    this.#segments.push({ digest: blob.digest, bytes: blob.bytes, rows: bytes.byteLength / this.#rowBytes });
  }
}

/** Cuts items of any size into segments that begin with their offsets. */
export class OffsetSink {
  readonly #session: ImportSession;
  readonly #limitBytes: number;
  readonly #segments: Segment[] = [];
  readonly #full: Uint8Array[][] = [];
  #items: Uint8Array[] = [];
  #itemBytes = 0;

  constructor(session: ImportSession, limitBytes: number = segmentBytes) {
    this.#session = session;
    this.#limitBytes = limitBytes;
  }

  /** Appends one item; call `drain` between pushes. */
  push(item: Uint8Array): void {
    this.#items.push(item);
    this.#itemBytes += item.byteLength + 4;
    if (this.#itemBytes >= this.#limitBytes) this.#close();
  }

  /** Stores the segments that are full. */
  async drain(): Promise<void> {
    for (let items = this.#full.shift(); items !== undefined; items = this.#full.shift()) {
      const blob = await this.#session.store(packItems(items));
      this.#segments.push({ digest: blob.digest, bytes: blob.bytes, rows: items.length });
    }
  }

  /** Stores what is left and gives all segments. */
  async finish(): Promise<Segment[]> {
    if (this.#items.length > 0) this.#close();
    await this.drain();
    return this.#segments;
  }

  #close(): void {
    this.#full.push(this.#items);
    this.#items = [];
    this.#itemBytes = 0;
  }
}

/** Bytes of an `offsets` segment. */
const packItems = (items: readonly Uint8Array[]): Uint8Array => {
  const total = items.reduce((sum, item) => sum + item.byteLength, 0);
  const head = (items.length + 1) * 4;
  const packed = new Uint8Array(head + total);
  const view = new DataView(packed.buffer);
  let offset = 0;
  items.forEach((item, index) => {
    view.setUint32(index * 4, offset, true);
    packed.set(item, head + offset);
    offset += item.byteLength;
  });
  view.setUint32(items.length * 4, offset, true);
  return packed;
};

/** One item of an `offsets` segment, as a view. */
export const itemOf = (segment: Uint8Array, rows: number, row: number): Uint8Array => {
  const view = new DataView(segment.buffer, segment.byteOffset, segment.byteLength);
  const head = (rows + 1) * 4;
  return segment.subarray(head + view.getUint32(row * 4, true), head + view.getUint32(row * 4 + 4, true));
};
