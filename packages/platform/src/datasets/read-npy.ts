import type { Column, SplitName } from "@modelyard/contracts";
import { LearnError, type NpyHeader, npyHeaderBytes, parseNpyHeader } from "@modelyard/learn";
import { PlatformError, type UploadedFile } from "../foundation/index.ts";
import { chooseTarget, nameClasses, writeCategoryColumn } from "./category-column.ts";
import { PackedSink } from "./column-sink.ts";
import { ByteStatistics, NumberStatistics } from "./column-statistics.ts";
import { type Segment, splitNames } from "./dataset-manifest.ts";
import { baseNameOf, splitOfFile } from "./file-role.ts";
import type { ImportSession } from "./import-session.ts";
import type { FormatReader, ImportedColumn, ImportedTable, ImportOptions } from "./imported-table.ts";
import { numbersOf, storedBytes, storedElements } from "./npy-values.ts";
import { RowHashes } from "./row-hashes.ts";
import { ByteSource, contentOf } from "./upload-source.ts";

type PartName = SplitName | "all";
type Role = "features" | "target";

/** Rows of one file, stored. */
interface ArrayPart {
  readonly file: string;
  readonly rows: number;
  /** Column that the array is, under its name in the version. */
  readonly column: Column;
  readonly segments: readonly Segment[];
  readonly statistics: ByteStatistics | NumberStatistics;
  readonly hashes: RowHashes;
  /** Whole numbers of a target, which are classes. */
  readonly classes: Int32Array | null;
}

const invalid = (file: string, message: string): PlatformError =>
  new PlatformError("npy-invalid", `${file}: ${message}`);

const targetWords = new Set(["y", "label", "labels", "target", "targets"]);
const featureWords = new Set(["x", "image", "images", "data", "features", "inputs"]);

const roleOf = (name: string): Role => {
  const words = baseNameOf(name)
    .toLowerCase()
    .split(/[^a-z0-9]+/);
  if (words.some((word) => targetWords.has(word))) return "target";
  if (words.some((word) => featureWords.has(word))) return "features";
  throw new PlatformError(
    "dataset-mismatch",
    `The name ${name} does not say what the array is. Call it x.npy or images.npy, or y.npy or labels.npy ` +
      "(x_train.npy, y_test.npy for the parts of a split).",
  );
};

const readHeader = async (source: ByteSource, file: string): Promise<NpyHeader> => {
  try {
    const headerBytes = npyHeaderBytes(await source.peek(12));
    return parseNpyHeader(await source.take(headerBytes));
  } catch (error) {
    throw error instanceof LearnError ? invalid(file, error.message) : error;
  }
};

const checkLayout = (header: NpyHeader, file: string): void => {
  const [rows, ...row] = header.shape;
  if (rows === undefined) throw invalid(file, "The array has no axes; the first axis must be the rows.");
  if (header.fortranOrder && row.length > 0) {
    throw invalid(file, "The array is in Fortran order. Save it with numpy.ascontiguousarray(x).");
  }
  if (row.includes(0)) throw invalid(file, `The shape ${header.shape.join("×")} holds rows of size 0.`);
};

/** Images are bytes [rows, height, width] or [rows, height, width, 1 | 3 | 4]. */
const imageColumn = (header: NpyHeader): Column | null => {
  const [, height, width, channels = 1] = header.shape;
  if (header.element !== "uint8" || height === undefined || width === undefined) return null;
  if (header.shape.length > 4 || ![1, 3, 4].includes(channels)) return null;
  return { kind: "image", name: "image", height, width, channels };
};

/** What column an array is; one row per element of its first axis. */
const columnOf = (header: NpyHeader, role: Role): Column => {
  const shape = header.shape.slice(1);
  const dtype = storedElements[header.element];
  if (role === "features") {
    const tensor: Column =
      shape.length === 0 ? { kind: "number", name: "x" } : { kind: "tensor", name: "x", dtype, shape };
    return imageColumn(header) ?? tensor;
  }
  return shape.every((size) => size === 1)
    ? { kind: "number", name: "label" }
    : { kind: "tensor", name: "label", dtype, shape };
};

/** Takes blocks of rows and gives what was seen and stored. */
const blockWriter = (session: ImportSession, header: NpyHeader, column: Column) => {
  const elements = header.shape.slice(1).reduce((product, size) => product * size, 1);
  const sourceRowBytes = elements * header.elementBytes;
  const statistics = column.kind === "image" ? new ByteStatistics() : new NumberStatistics();
  const hashes = new RowHashes();
  let sink: PackedSink | undefined;
  const write = async (block: Uint8Array): Promise<void> => {
    const rows = block.byteLength / sourceRowBytes;
    let bytes: Uint8Array;
    if (statistics instanceof ByteStatistics) {
      statistics.add(block, rows);
      bytes = block;
    } else {
      const values = numbersOf(block, header);
      for (const value of values) statistics.add(value);
      statistics.addRows(rows);
      bytes = column.kind === "number" ? new Uint8Array(values.buffer) : storedBytes(block, header);
    }
    hashes.pushRows(block, sourceRowBytes);
    sink ??= new PackedSink(session, bytes.byteLength / rows);
    sink.push(bytes);
    await sink.drain();
  };
  return { sourceRowBytes, statistics, hashes, write, finish: async () => (await sink?.finish()) ?? [] };
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
    if (got > expected) break;
    if (block.byteLength % size.rowBytes === 0) yield block;
  }
  if (got === expected) return;
  const found = got > expected ? "more" : String(got);
  throw invalid(
    file,
    `The header announces ${expected} bytes of data, the file has ${found}. Write or fetch it again.`,
  );
};

const readArray = async (session: ImportSession, file: UploadedFile, role: Role): Promise<ArrayPart> => {
  await using source = new ByteSource(contentOf(file, session));
  const header = await readHeader(source, file.name);
  checkLayout(header, file.name);
  const column = columnOf(header, role);
  const rows = header.shape[0] ?? 0;
  const counted = role === "features" ? 1 : 0;
  const writer = blockWriter(session, header, column);
  const integers = role === "target" && column.kind === "number" && !header.element.startsWith("float");
  const classes: number[] = [];
  session.totalRows = (session.totalRows ?? 0) + rows * counted;
  for await (const block of announcedBlocks(source, file.name, { rows, rowBytes: writer.sourceRowBytes })) {
    if (integers) for (const value of numbersOf(block, header)) classes.push(value);
    await writer.write(block);
    session.rows += (block.byteLength / writer.sourceRowBytes) * counted;
    await session.breathe();
  }
  const { statistics, hashes } = writer;
  const segments = await writer.finish();
  return {
    file: file.name,
    rows,
    column,
    segments,
    statistics,
    hashes,
    classes: integers ? classIndices(classes) : null,
  };
};

/** Class numbers of a target of integers, or `null` when they are too large to be classes. */
const classIndices = (values: readonly number[]): Int32Array | null =>
  values.every((value) => value >= 0 && value < 100_000) ? Int32Array.from(values) : null;

/** One column from the parts of a split, in order. */
const joinParts = (parts: readonly ArrayPart[]): ImportedColumn => {
  const [first] = parts;
  if (first === undefined) throw new TypeError("no parts");
  const odd = parts.find((part) => JSON.stringify(part.column) !== JSON.stringify(first.column));
  if (odd !== undefined) {
    throw new PlatformError(
      "dataset-mismatch",
      `${first.file} and ${odd.file} hold rows of different shape or type. All parts must agree.`,
    );
  }
  const statistics = first.statistics instanceof ByteStatistics ? new ByteStatistics() : new NumberStatistics();
  for (const part of parts) {
    if (statistics instanceof ByteStatistics && part.statistics instanceof ByteStatistics)
      statistics.merge(part.statistics);
    if (statistics instanceof NumberStatistics && part.statistics instanceof NumberStatistics) {
      statistics.merge(part.statistics);
    }
  }
  return {
    column: first.column,
    encoding: "packed",
    segments: parts.flatMap((part) => part.segments),
    profile: statistics.profile(first.column.name),
  };
};

const targetColumn = async (
  session: ImportSession,
  parts: readonly ArrayPart[],
  options: ImportOptions,
): Promise<ImportedColumn> => {
  const classes: number[] = [];
  for (const part of parts) {
    if (part.classes === null) return joinParts(parts);
    for (const index of part.classes) classes.push(index);
  }
  return writeCategoryColumn(session, "label", nameClasses(Int32Array.from(classes), options.labels));
};

type Parts = Map<PartName, Partial<Record<Role, ArrayPart>>>;

const readParts = async (session: ImportSession, files: AsyncIterable<UploadedFile>): Promise<Parts> => {
  const parts: Parts = new Map();
  for await (const file of files) {
    const role = roleOf(file.name);
    const name: PartName = splitOfFile(file.name) ?? "all";
    const part = parts.get(name) ?? {};
    const earlier = part[role];
    if (earlier !== undefined) {
      throw new PlatformError(
        "dataset-mismatch",
        `${earlier.file} and ${file.name} are the same part of the data. Keep one.`,
      );
    }
    parts.set(name, { ...part, [role]: await readArray(session, file, role) });
  }
  if (parts.size === 0) throw new PlatformError("dataset-empty", "No file was uploaded. Give x.npy and y.npy.");
  if (parts.has("all") && parts.size > 1) {
    throw new PlatformError(
      "dataset-mismatch",
      "Some file names say train or test and others do not. Name all so, or none.",
    );
  }
  return parts;
};

interface Pair {
  readonly name: PartName;
  readonly x: ArrayPart;
  readonly y: ArrayPart | undefined;
}

const pairUp = (parts: Parts): Pair[] => {
  const order: readonly PartName[] = ["all", ...splitNames];
  const pairs = order.flatMap((name): Pair[] => {
    const part = parts.get(name);
    if (part === undefined) return [];
    const { features: x, target: y } = part;
    if (x === undefined) {
      throw new PlatformError(
        "dataset-mismatch",
        `${y?.file ?? "A target"} has no array of inputs beside it. Upload both.`,
      );
    }
    if (y !== undefined && y.rows !== x.rows) {
      throw new PlatformError("dataset-mismatch", `${x.file} has ${x.rows} rows, but ${y.file} has ${y.rows}.`);
    }
    return [{ name, x, y }];
  });
  const lonely = pairs.find(({ y }) => y === undefined);
  if (lonely !== undefined && pairs.some(({ y }) => y !== undefined)) {
    throw new PlatformError("dataset-mismatch", `${lonely.x.file} has no array of labels beside it, other parts have.`);
  }
  return pairs;
};

/** Reads NumPy arrays: inputs, and targets where there are some, whole or for each part of a split. */
export const readNpy: FormatReader = async (session, files, options): Promise<ImportedTable> => {
  const pairs = pairUp(await readParts(session, files));
  const columns = [joinParts(pairs.map(({ x }) => x))];
  const targets = pairs.flatMap(({ y }) => (y === undefined ? [] : [y]));
  if (targets.length > 0) columns.push(await targetColumn(session, targets, options));
  const rows = pairs.reduce((sum, { x }) => sum + x.rows, 0);
  const givenSplit = pairs.some(({ name }) => name === "all")
    ? null
    : Uint8Array.from(
        pairs.flatMap(({ name, x }) => Array<number>(x.rows).fill(splitNames.indexOf(name as SplitName))),
      );
  const names = columns.map(({ column }) => column.name);
  return {
    rows,
    columns,
    target: chooseTarget(options.target, names, targets.length > 0 ? "label" : null),
    hashes: RowHashes.concat(pairs.map(({ x }) => x.hashes)),
    givenSplit,
  };
};
