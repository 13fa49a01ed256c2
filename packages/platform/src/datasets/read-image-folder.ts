import type { SplitName } from "@modelyard/contracts";
import { hash } from "node:crypto";
import { PlatformError, type UploadedFile } from "../foundation/index.ts";
import { chooseTarget, writeCategoryColumn } from "./category-column.ts";
import { OffsetSink, PackedSink } from "./column-sink.ts";
import { ByteStatistics } from "./column-statistics.ts";
import { type Segment, splitNames, type StoredColumn } from "./dataset-manifest.ts";
import { type DecodedImage, decodeImage } from "./decode-image.ts";
import { splitOfFolder } from "./file-role.ts";
import type { ImportSession } from "./import-session.ts";
import type { FormatReader, ImportedColumn, ImportedTable } from "./imported-table.ts";
import { readRow } from "./open-dataset.ts";
import { RowHashes } from "./row-hashes.ts";

/** Largest encoded image. */
const fileBytesMax = 64 * 1024 * 1024;
/** Images that are decoded at the same time. */
const decodesAtOnce = 4;
/** Images of one size are stored as pixels up to this size, else as they were uploaded. */
const packedRowBytesMax = 256 * 1024;

/** What a file's place in the folders says. */
interface Place {
  readonly path: string;
  readonly label: string;
  readonly split: SplitName | null;
}

const isClutter = (part: string): boolean =>
  part.startsWith(".") || part === "__MACOSX" || part === "Thumbs.db" || part === "desktop.ini";

/** Place of a file, or `null` for the clutter that file managers leave. */
const placeOf = (name: string): Place | null => {
  const parts = name.split(/[/\\]/).filter((part) => part !== "" && part !== ".");
  if (parts.some(isClutter)) return null;
  const [outer, label, file] = [parts.at(-3), parts.at(-2), parts.at(-1)];
  if (label === undefined || file === undefined) {
    throw new PlatformError(
      "dataset-mismatch",
      `${name} lies in no folder. The folder of an image is its class: upload class/image.png or train/class/image.png.`,
    );
  }
  return { path: parts.join("/"), label, split: outer === undefined ? null : splitOfFolder(outer) };
};

const readWhole = async (file: UploadedFile, session: ImportSession): Promise<Uint8Array> => {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of file.stream as AsyncIterable<Uint8Array>) {
    length += chunk.byteLength;
    session.bytes += chunk.byteLength;
    if (length > fileBytesMax) {
      throw new PlatformError(
        "payload-too-large",
        `${file.name} is larger than ${fileBytesMax / 1024 / 1024} MiB, the limit for one image. Make it smaller.`,
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};

/** Images as they come in, stored both as files and, while all have one small size, as pixels. */
class ImageCollector {
  readonly #session: ImportSession;
  readonly #encoded: OffsetSink;
  #pixels: PackedSink | null = null;
  #size: readonly number[] | null = null;
  #uniform = true;
  readonly places: Place[] = [];
  readonly statistics: ByteStatistics = new ByteStatistics();
  readonly hashes: RowHashes = new RowHashes();
  channels = 1;

  constructor(session: ImportSession) {
    this.#session = session;
    this.#encoded = new OffsetSink(session);
  }

  async add(place: Place, encoded: Uint8Array, { data, height, width, channels }: DecodedImage): Promise<void> {
    this.places.push(place);
    this.channels = Math.max(this.channels, channels);
    this.statistics.add(data, 1);
    this.hashes.push(`${height} ${width} ${channels} ${hash("sha256", data, "hex")}`);
    this.#encoded.push(encoded);
    await this.#encoded.drain();
    const size = [height, width, channels];
    this.#size ??= size;
    this.#uniform &&= data.byteLength <= packedRowBytesMax && size.join() === this.#size.join();
    if (this.#uniform) {
      this.#pixels ??= new PackedSink(this.#session, data.byteLength);
      this.#pixels.push(data);
      await this.#pixels.drain();
    }
    this.#session.rows++;
    await this.#session.breathe();
  }

  /** The images as a stored column, in order of arrival. */
  async finish(): Promise<StoredColumn> {
    const [height, width] = this.#size ?? [];
    const segments = await this.#encoded.finish();
    const fixed = this.#uniform && this.#pixels !== null && height !== undefined && width !== undefined;
    return {
      column: {
        kind: "image",
        name: "image",
        height: fixed ? height : null,
        width: fixed ? width : null,
        channels: this.channels,
      },
      encoding: fixed ? "packed" : "offsets",
      segments: fixed && this.#pixels !== null ? await this.#pixels.finish() : segments,
    };
  }
}

const collect = async (session: ImportSession, files: AsyncIterable<UploadedFile>): Promise<ImageCollector> => {
  const collector = new ImageCollector(session);
  type Waiting = { readonly place: Place; readonly encoded: Uint8Array; readonly decoded: Promise<DecodedImage> };
  const waiting: Waiting[] = [];
  const takeFirst = async (): Promise<void> => {
    const next = waiting.shift();
    if (next !== undefined) await collector.add(next.place, next.encoded, await next.decoded);
  };
  for await (const file of files) {
    const place = placeOf(file.name);
    if (place === null) {
      file.stream.resume();
      continue;
    }
    const encoded = await readWhole(file, session);
    const decoded = decodeImage(encoded, { name: place.path });
    // Awaited in order below; a failure before its turn must not count as unhandled.
    decoded.catch(() => undefined);
    waiting.push({ place, encoded, decoded });
    if (waiting.length >= decodesAtOnce) await takeFirst();
  }
  while (waiting.length > 0) await takeFirst();
  return collector;
};

/** Order of rows that does not depend on the order of upload. */
const canonicalOrder = (places: readonly Place[]): Uint32Array => {
  const rows = places.map((place, row) => ({ path: place.path, row }));
  rows.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  return Uint32Array.from(rows, ({ row }) => row);
};

/** Writes a stored column once more in another order. */
const reorderColumn = async (session: ImportSession, stored: StoredColumn, order: Uint32Array): Promise<Segment[]> => {
  let sink: PackedSink | OffsetSink | undefined;
  for (const row of order) {
    const bytes = await readRow(session.blobs, stored, row);
    sink ??= stored.encoding === "packed" ? new PackedSink(session, bytes.byteLength) : new OffsetSink(session);
    sink.push(bytes);
    await sink.drain();
    await session.breathe();
  }
  return (await sink?.finish()) ?? [];
};

const givenSplitOf = (places: readonly Place[]): Uint8Array | null => {
  const without = places.find((place) => place.split === null);
  const within = places.find((place) => place.split !== null);
  if (within === undefined) return null;
  if (without === undefined) return Uint8Array.from(places, (place) => splitNames.indexOf(place.split ?? "train"));
  throw new PlatformError(
    "dataset-mismatch",
    `${within.path} lies in a folder of a split and ${without.path} does not. Put all images under train, validation ` +
      "and test, or none.",
  );
};

/** Reads a folder of images: the folder of an image is its class, `train`, `validation` and `test` above it its part. */
export const readImageFolder: FormatReader = async (session, files, options): Promise<ImportedTable> => {
  const target = chooseTarget(options.target, ["image", "label"], "label");
  const collector = await collect(session, files);
  if (collector.places.length === 0) {
    throw new PlatformError("dataset-empty", "The upload holds no images. Upload files as class/image.png.");
  }
  const stored = await collector.finish();
  const order = canonicalOrder(collector.places);
  const sorted = order.every((row, index) => row === index);
  const places = Array.from(order, (row) => collector.places[row]).filter((place) => place !== undefined);
  const twice = places.find((place, index) => place.path === places[index + 1]?.path);
  if (twice !== undefined) throw new PlatformError("dataset-mismatch", `${twice.path} was uploaded twice.`);
  const images: ImportedColumn = {
    ...stored,
    segments: sorted ? stored.segments : await reorderColumn(session, stored, order),
    profile: collector.statistics.profile("image"),
  };
  const categories = [...new Set(places.map((place) => place.label))].sort();
  const indexOf = new Map(categories.map((category, index) => [category, index]));
  const indices = Int32Array.from(places, (place) => indexOf.get(place.label) ?? -1);
  return {
    rows: places.length,
    columns: [images, await writeCategoryColumn(session, "label", { indices, categories })],
    target,
    hashes: sorted ? collector.hashes : collector.hashes.reordered(order),
    givenSplit: givenSplitOf(places),
  };
};
