import { type IdxHeader, idxHeaderBytesMax, LearnError, parseIdxHeader } from "@modelyard/learn";
import type { SplitName } from "@modelyard/contracts";
import { PlatformError, type UploadedFile } from "../foundation/index.ts";
import { chooseTarget, nameClasses, writeCategoryColumn } from "./category-column.ts";
import { PackedSink } from "./column-sink.ts";
import { ByteStatistics } from "./column-statistics.ts";
import { type Segment, splitNames } from "./dataset-manifest.ts";
import { splitOfFile } from "./file-role.ts";
import type { ImportSession } from "./import-session.ts";
import type { FormatReader, ImportedTable } from "./imported-table.ts";
import { RowHashes } from "./row-hashes.ts";
import { ByteSource, contentOf } from "./upload-source.ts";

type PartName = SplitName | "all";

interface Images {
  readonly file: string;
  readonly rows: number;
  readonly size: readonly [height: number, width: number, channels: number];
  readonly segments: readonly Segment[];
  readonly statistics: ByteStatistics;
  readonly hashes: RowHashes;
}

interface Labels {
  readonly file: string;
  readonly indices: Int32Array;
}

interface Part {
  images?: Images;
  labels?: Labels;
}

const invalid = (file: string, message: string): PlatformError =>
  new PlatformError("idx-invalid", `${file}: ${message}`);

const readHeader = async (source: ByteSource, file: string): Promise<IdxHeader> => {
  try {
    const header = parseIdxHeader(await source.peek(idxHeaderBytesMax));
    await source.take(header.headerBytes);
    return header;
  } catch (error) {
    throw error instanceof LearnError ? invalid(file, error.message) : error;
  }
};

/** Reads exactly the rows that the header announces, block by block. */
const announcedBlocks = async function* (
  source: ByteSource,
  file: string,
  size: { readonly rows: number; readonly rowBytes: number },
): AsyncGenerator<Uint8Array> {
  const expected = size.rows * size.rowBytes;
  let got = 0;
  for await (const block of source.blocks(size.rowBytes)) {
    got += block.byteLength;
    if (got > expected) throw invalid(file, `More data than the header announces (${expected} bytes). Check the file.`);
    if (block.byteLength % size.rowBytes === 0) yield block;
  }
  if (got < expected) {
    throw invalid(
      file,
      `The data is cut off: the header announces ${size.rows} rows of ${size.rowBytes} bytes (${expected}), ` +
        `the file has ${got}. Fetch the file again.`,
    );
  }
};

const readImages = async (
  session: ImportSession,
  source: ByteSource,
  { file, header }: { readonly file: string; readonly header: IdxHeader },
): Promise<Images> => {
  const [rows = 0, height = 0, width = 0, channels = 1] = header.shape;
  const rowBytes = height * width * channels;
  if (header.element !== "uint8" || ![1, 3, 4].includes(channels) || rowBytes === 0 || rowBytes > 2 ** 28) {
    throw invalid(
      file,
      `Images must be unsigned bytes [rows, height, width] or [rows, height, width, channels]; ` +
        `got ${header.element} [${header.shape.join(", ")}].`,
    );
  }
  const sink = new PackedSink(session, rowBytes);
  const statistics = new ByteStatistics();
  const hashes = new RowHashes();
  session.totalRows = (session.totalRows ?? 0) + rows;
  for await (const block of announcedBlocks(source, file, { rows, rowBytes })) {
    sink.push(block);
    statistics.add(block, block.byteLength / rowBytes);
    hashes.pushRows(block, rowBytes);
    session.rows += block.byteLength / rowBytes;
    await sink.drain();
    await session.breathe();
  }
  return { file, rows, size: [height, width, channels], segments: await sink.finish(), statistics, hashes };
};

const readLabels = async (source: ByteSource, file: string, header: IdxHeader): Promise<Labels> => {
  if (header.element === "float32" || header.element === "float64") {
    throw invalid(file, `Labels must be integers; got ${header.element}.`);
  }
  const { elementBytes: rowBytes, element } = header;
  const values: number[] = [];
  for await (const block of announcedBlocks(source, file, { rows: header.shape[0] ?? 0, rowBytes })) {
    const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
    for (let at = 0; at < block.byteLength; at += rowBytes) {
      if (element === "uint8") values.push(view.getUint8(at));
      else if (element === "int8") values.push(view.getInt8(at));
      else values.push(element === "int16" ? view.getInt16(at, false) : view.getInt32(at, false));
    }
  }
  return { file, indices: Int32Array.from(values) };
};

const readFile = async (session: ImportSession, file: UploadedFile, parts: Map<PartName, Part>): Promise<void> => {
  const name: PartName = splitOfFile(file.name) ?? "all";
  const part = parts.get(name) ?? {};
  parts.set(name, part);
  await using source = new ByteSource(contentOf(file, session));
  const header = await readHeader(source, file.name);
  const role = header.shape.length === 1 ? "labels" : "images";
  const earlier = part[role];
  if (earlier !== undefined) {
    throw new PlatformError(
      "dataset-mismatch",
      `${earlier.file} and ${file.name} both hold ${role} of the same part (${name}). ` +
        "Give one file of images and one of labels, or two pairs whose names begin with train and t10k.",
    );
  }
  if (role === "labels") part.labels = await readLabels(source, file.name, header);
  else part.images = await readImages(session, source, { file: file.name, header });
};

const checkPair = (name: PartName, part: Part): { readonly images: Images; readonly labels: Labels } => {
  const { images, labels } = part;
  if (images === undefined || labels === undefined) {
    const has = images?.file ?? labels?.file ?? "a file";
    const lacks = images === undefined ? "images" : "labels";
    throw new PlatformError(
      "dataset-mismatch",
      `${has} has no file of ${lacks} beside it (part ${name}). Upload both in one import.`,
    );
  }
  if (images.rows === labels.indices.length) return { images, labels };
  throw new PlatformError(
    "dataset-mismatch",
    `${images.file} holds ${images.rows} images, but ${labels.file} holds ${labels.indices.length} labels. ` +
      "Upload the files that belong together.",
  );
};

const concatIndices = (parts: readonly Int32Array[]): Int32Array => {
  const all = new Int32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
};

/** Reads IDX files: one pair of images and labels, or a pair for each part of a split (`train…`, `t10k…`). */
export const readIdx: FormatReader = async (session, files, options): Promise<ImportedTable> => {
  const target = chooseTarget(options.target, ["image", "label"], "label");
  const parts = new Map<PartName, Part>();
  for await (const file of files) await readFile(session, file, parts);
  if (parts.has("all") && parts.size > 1) {
    throw new PlatformError(
      "dataset-mismatch",
      "Some file names say train or t10k and others do not. Name all of them that way, or none.",
    );
  }
  const order: readonly PartName[] = ["all", ...splitNames];
  const pairs = order.flatMap((name) => {
    const part = parts.get(name);
    return part === undefined ? [] : [{ name, ...checkPair(name, part) }];
  });
  const first = pairs[0]?.images;
  if (first === undefined) throw new PlatformError("dataset-empty", "No file was uploaded. Give images and labels.");
  const odd = pairs.find(({ images }) => images.size.join() !== first.size.join())?.images;
  if (odd !== undefined) {
    throw new PlatformError(
      "dataset-mismatch",
      `${first.file} holds images of ${first.size.join("×")}, but ${odd.file} of ${odd.size.join("×")}.`,
    );
  }
  const statistics = new ByteStatistics();
  for (const { images } of pairs) statistics.merge(images.statistics);
  const values = nameClasses(concatIndices(pairs.map(({ labels }) => labels.indices)), options.labels);
  const [height, width, channels] = first.size;
  const givenSplit = parts.has("all")
    ? null
    : Uint8Array.from(
        pairs.flatMap(({ name, images }) => Array<number>(images.rows).fill(splitNames.indexOf(name as SplitName))),
      );
  return {
    rows: values.indices.length,
    columns: [
      {
        column: { kind: "image", name: "image", height, width, channels },
        encoding: "packed",
        segments: pairs.flatMap(({ images }) => images.segments),
        profile: statistics.profile("image"),
      },
      await writeCategoryColumn(session, "label", values),
    ],
    target,
    hashes: RowHashes.concat(pairs.map(({ images }) => images.hashes)),
    givenSplit,
  };
};
