import { z } from "zod";
import { DatasetReference, Digest, Name, Nothing, pageOf, PageQuery, Timestamp, VersionNumber } from "./names.ts";
import { operation } from "./operation.ts";

/** What a column holds. */
export const Column = z.discriminatedUnion("kind", [
  /** Pixels, channels last; `null` where sizes differ from row to row. */
  z.object({
    kind: z.literal("image"),
    name: z.string(),
    height: z.int().nullable(),
    width: z.int().nullable(),
    channels: z.int(),
  }),
  /** A dense array of one shape per row (without the row axis). */
  z.object({
    kind: z.literal("tensor"),
    name: z.string(),
    dtype: z.enum(["uint8", "int32", "int64", "float32", "float64"]),
    shape: z.array(z.int()),
  }),
  z.object({ kind: z.literal("number"), name: z.string() }),
  /** One of a closed list; stored as index into `categories`. */
  z.object({ kind: z.literal("category"), name: z.string(), categories: z.array(z.string()) }),
  z.object({ kind: z.literal("text"), name: z.string() }),
]);
/** What a column holds. */
export type Column = z.infer<typeof Column>;

/** Names of the three parts of a split. */
export const SplitName = z.enum(["train", "validation", "test"]);
/** Name of a part of a split. */
export type SplitName = z.infer<typeof SplitName>;

/** How rows are dealt to train, validation and test. */
export const SplitPlan = z.discriminatedUnion("by", [
  /** The files say it (IDX train and t10k files, folders train/ and test/). */
  z.strictObject({ by: z.literal("given") }),
  z.strictObject({
    by: z.enum(["random", "stratified", "group"]),
    /** Shares of the rows, summing to 1. */
    train: z.number().min(0).max(1),
    validation: z.number().min(0).max(1),
    test: z.number().min(0).max(1),
    seed: z.int().min(0).default(1),
    /** Column whose equal values stay together (only with `group`). */
    groupColumn: z.string().optional(),
  }),
]);
/** How rows are dealt to train, validation and test. */
export type SplitPlan = z.infer<typeof SplitPlan>;

/** What the duplicate check found; rows are compared by content hash. */
export const LeakReport = z.object({
  /** Rows that equal an earlier row. */
  duplicateRows: z.int(),
  /** Distinct contents that stand in more than one split. */
  acrossSplits: z.int(),
  /** Contents that carry more than one label. */
  conflictingLabels: z.int(),
  /** A few examples: row numbers of equal rows and their splits. */
  examples: z.array(z.object({ rows: z.array(z.int()), splits: z.array(SplitName) })),
});
/** What the duplicate check found. */
export type LeakReport = z.infer<typeof LeakReport>;

/** Statistics of one column. */
export const ColumnProfile = z.object({
  name: z.string(),
  count: z.int(),
  missing: z.int(),
  /** Numbers and pixels only. */
  mean: z.number().nullable(),
  standardDeviation: z.number().nullable(),
  minimum: z.number().nullable(),
  maximum: z.number().nullable(),
  quantiles: z.object({ p25: z.number(), p50: z.number(), p75: z.number() }).nullable(),
  /** Categories only: rows per category, in order of the schema. */
  categoryCounts: z.array(z.object({ category: z.string(), count: z.int() })).nullable(),
});
/** Statistics of one column. */
export type ColumnProfile = z.infer<typeof ColumnProfile>;

/** One immutable version of a dataset. */
export const DatasetVersion = z.object({
  dataset: Name,
  version: VersionNumber,
  /** Digest of the manifest: same data, schema and splits, same digest. */
  digest: Digest,
  createdAt: Timestamp,
  format: z.enum(["idx", "image-folder", "csv", "npy"]),
  rows: z.int(),
  /** Stored size. */
  bytes: z.int(),
  columns: z.array(Column),
  /** Column to be predicted, when the import named or found one. */
  target: z.string().nullable(),
  split: z.object({ plan: SplitPlan, train: z.int(), validation: z.int(), test: z.int() }),
  leaks: LeakReport,
});
/** One immutable version of a dataset. */
export type DatasetVersion = z.infer<typeof DatasetVersion>;

/** A dataset and its newest version. */
export const Dataset = z.object({
  name: Name,
  createdAt: Timestamp,
  versions: z.int(),
  latest: DatasetVersion,
});

/** Options of an import; the files follow in the same multipart request. */
export const ImportDataset = z.strictObject({
  format: z.enum(["idx", "image-folder", "csv", "npy"]),
  /** Name of the column to predict (`label` for idx, image-folder and npy). */
  target: z.string().min(1).max(200).optional(),
  /** Names of the classes in order of their index (idx, npy). */
  labels: z.array(z.string().min(1).max(200)).max(100_000).optional(),
  /** Without it: `given` when the files say it, else 80/10/10 stratified by a category target, else random. */
  split: SplitPlan.optional(),
  /** CSV only. */
  delimiter: z.string().length(1).optional(),
  /** CSV only: what these columns hold, where the guess would be another. */
  kinds: z.record(z.string(), z.enum(["number", "category", "text"])).optional(),
});
/** Options of an import. */
export type ImportDataset = z.infer<typeof ImportDataset>;

/** Progress of an import, then its result. */
export const ImportEvent = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("progress"),
    sequence: z.int(),
    phase: z.enum(["read", "hash", "profile", "store"]),
    rows: z.int(),
    /** When known. */
    totalRows: z.int().nullable(),
    bytes: z.int(),
  }),
  z.object({
    type: z.literal("completed"),
    sequence: z.int(),
    /** False when the same bytes were imported before: then this is that version. */
    created: z.boolean(),
    version: DatasetVersion,
  }),
  z.object({ type: z.literal("failed"), sequence: z.int(), code: z.string(), detail: z.string() }),
]);
/** Progress of an import, then its result. */
export type ImportEvent = z.infer<typeof ImportEvent>;

/** A row that one can look at. Images come as base64 PNG. */
export const SampleRow = z.object({
  row: z.int(),
  split: SplitName,
  values: z.record(z.string(), z.union([z.string(), z.number(), z.null(), z.array(z.number())])),
});
/** A row that one can look at. */
export type SampleRow = z.infer<typeof SampleRow>;

/** Profile of a version. */
export const DatasetProfile = z.object({ reference: DatasetReference, columns: z.array(ColumnProfile) });

const DatasetParams = z.object({ name: Name });
const DatasetVersionParams = z.object({ name: Name, version: z.coerce.number().pipe(VersionNumber) });

/** Imports data as a new version. */
export const importDataset = operation({
  id: "datasets.import",
  method: "POST",
  path: "/api/v1/datasets/{name}/versions",
  scope: "datasets:write",
  served: "control-plane",
  summary: "Import files as a new version of a dataset, with progress as events",
  params: DatasetParams,
  query: Nothing,
  body: { kind: "multipart", schema: ImportDataset },
  response: { kind: "events", status: 200, schema: ImportEvent },
  errors: [
    "idx-invalid",
    "npy-invalid",
    "gzip-invalid",
    "csv-ragged",
    "csv-invalid",
    "column-unknown",
    "image-undecodable",
    "dataset-empty",
    "dataset-mismatch",
    "split-invalid",
    "payload-too-large",
    "disk-full",
  ],
});

/** Lists datasets. */
export const listDatasets = operation({
  id: "datasets.list",
  method: "GET",
  path: "/api/v1/datasets",
  scope: "datasets:read",
  served: "control-plane",
  summary: "List datasets with their newest versions",
  params: Nothing,
  query: PageQuery,
  body: { kind: "none" },
  response: { kind: "json", status: 200, schema: pageOf(Dataset) },
  errors: [],
});

/** Shows one dataset version. */
export const showDataset = operation({
  id: "datasets.show",
  method: "GET",
  path: "/api/v1/datasets/{name}/versions/{version}",
  scope: "datasets:read",
  served: "control-plane",
  summary: "Show a dataset version: schema, splits, what the leak check found",
  params: DatasetVersionParams,
  query: Nothing,
  body: { kind: "none" },
  response: { kind: "json", status: 200, schema: DatasetVersion },
  errors: ["not-found"],
});

/** Lists the versions of a dataset. */
export const listDatasetVersions = operation({
  id: "datasets.versions",
  method: "GET",
  path: "/api/v1/datasets/{name}/versions",
  scope: "datasets:read",
  served: "control-plane",
  summary: "List the versions of a dataset, newest first",
  params: DatasetParams,
  query: PageQuery,
  body: { kind: "none" },
  response: { kind: "json", status: 200, schema: pageOf(DatasetVersion) },
  errors: ["not-found"],
});

/** Shows the profile of a dataset version. */
export const profileDataset = operation({
  id: "datasets.profile",
  method: "GET",
  path: "/api/v1/datasets/{name}/versions/{version}/profile",
  scope: "datasets:read",
  served: "control-plane",
  summary: "Show counts, class balance and statistics per column",
  params: DatasetVersionParams,
  query: Nothing,
  body: { kind: "none" },
  response: { kind: "json", status: 200, schema: DatasetProfile },
  errors: ["not-found"],
});

/** Shows rows of a dataset version. */
export const sampleDataset = operation({
  id: "datasets.samples",
  method: "GET",
  path: "/api/v1/datasets/{name}/versions/{version}/samples",
  scope: "datasets:read",
  served: "control-plane",
  summary: "Show rows to look at, images as PNG",
  params: DatasetVersionParams,
  query: z.object({
    split: SplitName.default("train"),
    offset: z.coerce.number().int().min(0).default(0),
    limit: z.coerce.number().int().min(1).max(100).default(10),
  }),
  body: { kind: "none" },
  response: { kind: "json", status: 200, schema: z.object({ items: z.array(SampleRow) }) },
  errors: ["not-found"],
});
