import type { LeakReport, SplitName, SplitPlan } from "@modelyard/contracts";
import {
  findLeaksSteps,
  groupSplitSteps,
  LearnError,
  randomSplitSteps,
  type Stepwise,
  stratifiedSplitSteps,
} from "@modelyard/learn";
import { canonicalJson, type DigestText, PlatformError } from "../foundation/index.ts";
import type { Blob } from "../storage/blob-store.ts";
import { blobsOf, columnNamed, type DatasetManifest, encodeManifest, splitNames } from "./dataset-manifest.ts";
import type { DatasetDescription } from "./dataset-version.ts";
import type { ImportSession } from "./import-session.ts";
import type { ImportedTable, ImportOptions } from "./imported-table.ts";
import { type ColumnData, readColumn } from "./open-dataset.ts";

/** A version whose blobs are stored, ready to be added. */
export interface AssembledVersion {
  readonly digest: DigestText;
  readonly profileDigest: DigestText;
  readonly description: DatasetDescription;
  /** Every blob that the version needs. */
  readonly blobs: ReadonlySet<DigestText>;
}

const invalidSplit = (message: string): PlatformError => new PlatformError("split-invalid", message);

const defaultPlan = (table: ImportedTable, target: ColumnData | null): SplitPlan =>
  table.givenSplit === null
    ? { by: target?.kind === "category" ? "stratified" : "random", train: 0.8, validation: 0.1, test: 0.1, seed: 1 }
    : { by: "given" };

/** Rows that are read between two pauses. */
const rowsPerPiece = 4096;

/** A whole number for each distinct value of a column, to group rows by. */
function* groupsOf(data: ColumnData, name: string): Stepwise<Int32Array> {
  if (data.kind === "category") return data.data;
  if (data.kind !== "number" && data.kind !== "text") {
    throw invalidSplit(`Column ${name} cannot group rows: it holds neither numbers, categories nor texts.`);
  }
  const rows = data.kind === "number" ? data.data.length : data.rows;
  const ids = new Map<number | string, number>();
  const groups = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    if (row % rowsPerPiece === 0) yield;
    const value = data.kind === "number" ? (data.data[row] as number) : data.text(row);
    const id = ids.get(value) ?? ids.size;
    ids.set(value, id);
    groups[row] = id;
  }
  return groups;
}

interface SplitInputs {
  readonly table: ImportedTable;
  readonly target: ColumnData | null;
  readonly read: (name: string) => Promise<ColumnData>;
  readonly session: ImportSession;
}

const dealGroups = async (
  plan: Exclude<SplitPlan, { by: "given" }>,
  { read, session }: SplitInputs,
): Promise<Uint8Array> => {
  if (plan.groupColumn === undefined) {
    throw invalidSplit("A split by group needs groupColumn: the column whose equal values stay together.");
  }
  const groups = await session.drive(groupsOf(await read(plan.groupColumn), plan.groupColumn));
  return session.drive(groupSplitSteps(groups, plan, plan.seed));
};

const dealRows = async (plan: SplitPlan, inputs: SplitInputs): Promise<Uint8Array> => {
  const { table, target, session } = inputs;
  if (plan.by === "given") {
    if (table.givenSplit !== null) return table.givenSplit;
    throw invalidSplit(
      "The files do not say which rows are for training and which for testing. Name files or folders train, " +
        "validation and test, or choose a random, stratified or group split.",
    );
  }
  if (plan.by === "group") return dealGroups(plan, inputs);
  if (plan.by === "random") return session.drive(randomSplitSteps(table.rows, plan, plan.seed));
  if (target?.kind !== "category") {
    throw invalidSplit("A stratified split needs a target that is a category. Name one, or choose a random split.");
  }
  return session.drive(stratifiedSplitSteps(target.data, plan, plan.seed));
};

const labelReader = (target: ColumnData | null): ((row: number) => number | string) | undefined => {
  if (target?.kind === "category" || target?.kind === "number") return (row) => target.data[row] ?? Number.NaN;
  return target?.kind === "text" ? (row) => target.text(row) : undefined;
};

const leakReport = async (
  session: ImportSession,
  hashes: ImportedTable["hashes"],
  { assignment, target }: { readonly assignment: Uint8Array; readonly target: ColumnData | null },
): Promise<LeakReport> => {
  const duplicates = await hashes.duplicateGroups(() => session.breathe());
  const { examples, ...counts } = await session.drive(findLeaksSteps(duplicates, assignment, labelReader(target)));
  return {
    ...counts,
    examples: examples.map(({ rows, parts }) => ({
      rows: [...rows],
      splits: parts.map((part): SplitName => splitNames[part] ?? "train"),
    })),
  };
};

const countParts = (assignment: Uint8Array): Record<SplitName, number> => {
  const counts = { train: 0, validation: 0, test: 0 };
  for (const part of assignment) counts[splitNames[part] ?? "train"]++;
  return counts;
};

/**
 * Makes a version of an imported table: deals its rows, looks for leaks, stores assignment, profile and manifest.
 * @throws PlatformError `dataset-empty`, `split-invalid` or `column-unknown`.
 */
export const assembleVersion = async (
  session: ImportSession,
  table: ImportedTable,
  options: ImportOptions,
): Promise<AssembledVersion> => {
  if (table.rows === 0) throw new PlatformError("dataset-empty", "The files hold no rows. Check what was uploaded.");
  session.phase = "hash";
  const read = async (name: string) => readColumn(session.blobs, columnNamed(table.columns, name));
  const target = table.target === null ? null : await read(table.target);
  await session.breathe();
  const plan = options.split ?? defaultPlan(table, target);
  const assignment = await dealRows(plan, { table, target, read, session });
  await session.breathe();
  const leaks = await leakReport(session, table.hashes, { assignment, target });
  await session.breathe();
  session.phase = "profile";
  const profile = await session.store(Buffer.from(canonicalJson(table.columns.map((column) => column.profile))));
  session.phase = "store";
  const assignmentBlob = await session.store(assignment);
  const counts = countParts(assignment);
  const manifest: DatasetManifest = {
    format: 1,
    source: options.format,
    rows: table.rows,
    target: table.target,
    columns: table.columns.map(({ column, encoding, segments }) => ({ column, encoding, segments })),
    split: { plan, assignment: assignmentBlob, ...counts },
  };
  const manifestBlob = await session.store(encodeManifest(manifest));
  return {
    digest: manifestBlob.digest,
    profileDigest: profile.digest,
    blobs: new Set([...blobsOf(manifest), manifestBlob.digest, profile.digest]),
    description: describe(manifest, leaks, [assignmentBlob, profile, manifestBlob]),
  };
};

const describe = (manifest: DatasetManifest, leaks: LeakReport, extra: readonly Blob[]): DatasetDescription => {
  const { plan, train, validation, test } = manifest.split;
  const segments = manifest.columns.flatMap((column) => column.segments);
  return {
    format: manifest.source,
    rows: manifest.rows,
    bytes: [...segments, ...extra].reduce((sum, blob) => sum + blob.bytes, 0),
    columns: manifest.columns.map(({ column }) => column),
    target: manifest.target,
    split: { plan, train, validation, test },
    leaks,
  };
};

/** What a failure of the mathematics is called on the wire. */
export const asPlatformError = (error: unknown): unknown =>
  error instanceof LearnError ? new PlatformError(error.code, error.message, { cause: error }) : error;
