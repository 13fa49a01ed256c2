import type { SampleRow, SplitName } from "@modelyard/contracts";
import type { DigestText } from "../foundation/index.ts";
import { decodeManifest, type StoredColumn } from "./dataset-manifest.ts";
import { decodeImage, encodePng } from "./decode-image.ts";
import { type BlobReader, readRow, rowsBySplit, tensorView } from "./open-dataset.ts";

type SampleValue = SampleRow["values"][string];

/** Most numbers of a tensor that a sample shows. */
const tensorValuesMax = 10_000;

const imageValue = async (bytes: Uint8Array, { column, encoding }: StoredColumn): Promise<string> => {
  if (column.kind !== "image") throw new TypeError("not an image column");
  const { height, width, channels } = column;
  const pixels =
    encoding === "packed" && height !== null && width !== null
      ? { data: bytes, height, width, channels }
      : await decodeImage(bytes, { channels });
  return (await encodePng(pixels)).toString("base64");
};

const valueOf = async (blobs: BlobReader, stored: StoredColumn, row: number): Promise<SampleValue> => {
  const bytes = await readRow(blobs, stored, row);
  const { column } = stored;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (column.kind) {
    case "image":
      return imageValue(bytes, stored);
    case "number": {
      const value = view.getFloat64(0, true);
      return Number.isFinite(value) ? value : null;
    }
    case "category":
      return column.categories[view.getInt32(0, true)] ?? null;
    case "text":
      return new TextDecoder().decode(bytes);
    case "tensor":
      break;
  }
  const data = tensorView(column.dtype, Uint8Array.from(bytes).buffer);
  return Array.from(data.subarray(0, tensorValuesMax), Number).map((value) => (Number.isFinite(value) ? value : 0));
};

/** Which rows to show. */
export interface SampleRequest {
  readonly split: SplitName;
  readonly offset: number;
  readonly limit: number;
}

/** Reads rows of a part of a version to look at; images come as base64 PNG. */
export const sampleDataset = async (
  blobs: BlobReader,
  digest: DigestText,
  request: SampleRequest,
): Promise<SampleRow[]> => {
  const manifest = decodeManifest(await blobs.get(digest));
  const rows = rowsBySplit(await blobs.get(manifest.split.assignment.digest))[request.split];
  const items: SampleRow[] = [];
  for (const row of rows.subarray(request.offset, request.offset + request.limit)) {
    const values: Record<string, SampleValue> = {};
    for (const stored of manifest.columns) values[stored.column.name] = await valueOf(blobs, stored, row);
    items.push({ row, split: request.split, values });
  }
  return items;
};
