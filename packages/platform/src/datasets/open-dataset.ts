import type { Column, SplitName } from "@modelyard/contracts";
import type { DigestText } from "../foundation/index.ts";
import type { BlobStore } from "../storage/blob-store.ts";
import { itemOf } from "./column-sink.ts";
import {
  type DatasetManifest,
  decodeManifest,
  rowBytesOf,
  columnNamed,
  type StoredColumn,
} from "./dataset-manifest.ts";
import { type DecodedImage, decodeImage } from "./decode-image.ts";

/** The part of the blob store that reading needs. */
export type BlobReader = Pick<BlobStore, "get" | "read">;

/** Element arrays of tensor columns. */
export type TensorData = Uint8Array | Int32Array | BigInt64Array | Float32Array | Float64Array;

type ColumnOf<K extends Column["kind"]> = Extract<Column, { kind: K }>;

/** All rows of a column, in memory. */
export type ColumnData =
  /** Pixels of images of one size, row after row, channels last. */
  | {
      readonly kind: "image";
      readonly data: Uint8Array;
      readonly height: number;
      readonly width: number;
      readonly channels: number;
      /** Pixels of a row. */
      pixels(row: number): Promise<DecodedImage>;
    }
  /** Images of different sizes, as they were uploaded. */
  | {
      readonly kind: "encoded-image";
      readonly rows: number;
      readonly channels: number;
      /** The encoded file of a row. */
      item(row: number): Uint8Array;
      /** Pixels of a row, decoded as they were uploaded. */
      pixels(row: number): Promise<DecodedImage>;
    }
  /** NaN stands for missing. */
  | { readonly kind: "number"; readonly data: Float64Array }
  /** -1 stands for missing. */
  | { readonly kind: "category"; readonly data: Int32Array; readonly categories: readonly string[] }
  | { readonly kind: "text"; readonly rows: number; text(row: number): string }
  | {
      readonly kind: "tensor";
      readonly data: TensorData;
      readonly dtype: ColumnOf<"tensor">["dtype"];
      /** Shape of one row. */
      readonly shape: readonly number[];
    };

/** A dataset version opened for reading. */
export interface DatasetReader {
  readonly manifest: DatasetManifest;
  /** Row numbers of a part of the split, ascending. */
  rowsOf(split: SplitName): Uint32Array;
  /**
   * Loads a column; every blob's digest is proved.
   * @throws PlatformError `column-unknown` when there is no such column.
   */
  column(name: string): Promise<ColumnData>;
}

const packedBytes = async (blobs: BlobReader, stored: StoredColumn): Promise<ArrayBuffer> => {
  const all = new Uint8Array(stored.segments.reduce((sum, segment) => sum + segment.bytes, 0));
  let offset = 0;
  for (const segment of stored.segments) {
    all.set(await blobs.get(segment.digest), offset);
    offset += segment.bytes;
  }
  return all.buffer;
};

/** Items of an `offsets` column by row. */
const itemReader = async (blobs: BlobReader, stored: StoredColumn): Promise<(row: number) => Uint8Array> => {
  const starts: number[] = [];
  const segments: { readonly bytes: Uint8Array; readonly rows: number }[] = [];
  let start = 0;
  for (const segment of stored.segments) {
    segments.push({ bytes: await blobs.get(segment.digest), rows: segment.rows });
    starts.push(start);
    start += segment.rows;
  }
  return (row) => {
    const index = starts.findLastIndex((first) => first <= row);
    const segment = segments[index];
    if (segment === undefined || row >= start) throw new RangeError(`row ${row} of ${start}`);
    return itemOf(segment.bytes, segment.rows, row - (starts[index] ?? 0));
  };
};

const tensorViews = {
  uint8: (buffer: ArrayBuffer) => new Uint8Array(buffer),
  int32: (buffer: ArrayBuffer) => new Int32Array(buffer),
  int64: (buffer: ArrayBuffer) => new BigInt64Array(buffer),
  float32: (buffer: ArrayBuffer) => new Float32Array(buffer),
  float64: (buffer: ArrayBuffer) => new Float64Array(buffer),
} satisfies Record<ColumnOf<"tensor">["dtype"], (buffer: ArrayBuffer) => TensorData>;

/** Elements of packed tensor rows. */
export const tensorView = (dtype: ColumnOf<"tensor">["dtype"], buffer: ArrayBuffer): TensorData =>
  tensorViews[dtype](buffer);

const readImages = async (
  blobs: BlobReader,
  stored: StoredColumn,
  { height, width, channels }: ColumnOf<"image">,
): Promise<ColumnData> => {
  if (stored.encoding === "packed") {
    const data = new Uint8Array(await packedBytes(blobs, stored));
    const size = { height: height ?? 0, width: width ?? 0, channels };
    const rowBytes = rowBytesOf(stored.column);
    const pixels = (row: number): DecodedImage => ({
      data: data.subarray(row * rowBytes, (row + 1) * rowBytes),
      ...size,
    });
    return { kind: "image", data, ...size, pixels: async (row) => pixels(row) };
  }
  const item = await itemReader(blobs, stored);
  return {
    kind: "encoded-image",
    rows: stored.segments.reduce((sum, segment) => sum + segment.rows, 0),
    channels,
    item,
    pixels: (row) => decodeImage(item(row), { channels, name: `row ${row}` }),
  };
};

/** Loads all rows of a stored column, proving the digest of every blob. */
export const readColumn = async (blobs: BlobReader, stored: StoredColumn): Promise<ColumnData> => {
  const { column } = stored;
  switch (column.kind) {
    case "image":
      return readImages(blobs, stored, column);
    case "number":
      return { kind: "number", data: new Float64Array(await packedBytes(blobs, stored)) };
    case "category": {
      const data = new Int32Array(await packedBytes(blobs, stored));
      return { kind: "category", data, categories: column.categories };
    }
    case "text": {
      const item = await itemReader(blobs, stored);
      const decoder = new TextDecoder();
      const rows = stored.segments.reduce((sum, segment) => sum + segment.rows, 0);
      return { kind: "text", rows, text: (row) => decoder.decode(item(row)) };
    }
    case "tensor":
      break;
  }
  const data = tensorView(column.dtype, await packedBytes(blobs, stored));
  return { kind: "tensor", data, dtype: column.dtype, shape: column.shape };
};

/** Bytes of some rows of a column, read without loading the rest. */
export const readRow = async (blobs: BlobReader, stored: StoredColumn, row: number): Promise<Uint8Array> => {
  let first = 0;
  for (const segment of stored.segments) {
    if (row >= first + segment.rows) {
      first += segment.rows;
      continue;
    }
    const local = row - first;
    if (stored.encoding === "packed") {
      const rowBytes = rowBytesOf(stored.column);
      return blobs.read(segment.digest, { start: local * rowBytes, end: (local + 1) * rowBytes });
    }
    const head = (segment.rows + 1) * 4;
    const offsets = await blobs.read(segment.digest, { start: local * 4, end: local * 4 + 8 });
    const view = new DataView(offsets.buffer, offsets.byteOffset, 8);
    return blobs.read(segment.digest, { start: head + view.getUint32(0, true), end: head + view.getUint32(4, true) });
  }
  throw new RangeError(`row ${row} of ${first}`);
};

/** Row numbers of each part, from the assignment's bytes. */
export const rowsBySplit = (assignment: Uint8Array): Record<SplitName, Uint32Array> => {
  const counts = [0, 0, 0];
  for (const part of assignment) counts[part] = (counts[part] ?? 0) + 1;
  const [train, validation, test] = counts.map((count) => new Uint32Array(count));
  const rows = [train ?? new Uint32Array(), validation ?? new Uint32Array(), test ?? new Uint32Array()] as const;
  const filled = [0, 0, 0];
  assignment.forEach((part, row) => {
    const at = filled[part] ?? 0;
    filled[part] = at + 1;
    const target = rows[part];
    if (target !== undefined) target[at] = row;
  });
  return { train: rows[0], validation: rows[1], test: rows[2] };
};

/**
 * Opens a dataset version by the digest of its manifest.
 * @throws PlatformError `not-found` or `artefact-corrupt` when a blob is missing or does not match its digest.
 */
export const openDataset = async (blobs: BlobReader, digest: DigestText): Promise<DatasetReader> => {
  const manifest = decodeManifest(await blobs.get(digest));
  const rows = rowsBySplit(await blobs.get(manifest.split.assignment.digest));
  return {
    manifest,
    rowsOf: (split) => rows[split],
    column: async (name) => readColumn(blobs, columnNamed(manifest.columns, name)),
  };
};
