import { Column, SplitPlan } from "@modelyard/contracts";
import { z } from "zod";
import { canonicalJson, type DigestText, isDigest, PlatformError } from "../foundation/index.ts";

/** A run of rows of one column: one blob. */
export interface Segment {
  readonly digest: DigestText;
  readonly bytes: number;
  readonly rows: number;
}

/**
 * How rows lie in a segment's bytes, all little-endian:
 * `packed`: rows of one size, one after the other (pixels and tensors row-major, numbers float64 with NaN for missing,
 * categories int32 with -1 for missing);
 * `offsets`: rows + 1 offsets as uint32 from the end of the offsets, then the items (encoded images, UTF-8 texts).
 */
export type ColumnEncoding = "packed" | "offsets";

/** A column of a version: what it holds and where its rows are. */
export interface StoredColumn {
  readonly column: Column;
  readonly encoding: ColumnEncoding;
  readonly segments: readonly Segment[];
}

/** Everything a dataset version is; the digest of its canonical JSON is the version's identity. */
export interface DatasetManifest {
  /** Number of this format. */
  readonly format: 1;
  readonly source: "idx" | "image-folder" | "csv" | "npy";
  readonly rows: number;
  readonly target: string | null;
  readonly columns: readonly StoredColumn[];
  readonly split: {
    readonly plan: SplitPlan;
    /** One byte a row: 0 train, 1 validation, 2 test. */
    readonly assignment: { readonly digest: DigestText; readonly bytes: number };
    readonly train: number;
    readonly validation: number;
    readonly test: number;
  };
}

const digest = z.custom<DigestText>((value) => typeof value === "string" && isDigest(value), "a digest");

const schema: z.ZodType<DatasetManifest> = z.strictObject({
  format: z.literal(1),
  source: z.enum(["idx", "image-folder", "csv", "npy"]),
  rows: z.int().min(1),
  target: z.string().nullable(),
  columns: z.array(
    z.strictObject({
      column: Column,
      encoding: z.enum(["packed", "offsets"]),
      segments: z.array(z.strictObject({ digest, bytes: z.int(), rows: z.int() })),
    }),
  ),
  split: z.strictObject({
    plan: SplitPlan,
    assignment: z.strictObject({ digest, bytes: z.int() }),
    train: z.int(),
    validation: z.int(),
    test: z.int(),
  }),
});

/** The bytes of a manifest; equal manifests give equal bytes. */
export const encodeManifest = (manifest: DatasetManifest): Uint8Array => Buffer.from(canonicalJson(manifest));

/**
 * Reads a manifest.
 * @throws PlatformError `artefact-corrupt` when the bytes are no manifest of a known format.
 */
export const decodeManifest = (bytes: Uint8Array): DatasetManifest => {
  try {
    return schema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (cause) {
    throw new PlatformError(
      "artefact-corrupt",
      "The dataset's manifest cannot be read. Import the data again, or restore the data directory from a backup.",
      { cause },
    );
  }
};

const bytesPerElement = { uint8: 1, int32: 4, int64: 8, float32: 4, float64: 8 } as const;

/** Bytes of one row of a packed column. */
export const rowBytesOf = (column: Column): number => {
  switch (column.kind) {
    case "image":
      return (column.height ?? 0) * (column.width ?? 0) * column.channels;
    case "tensor":
      return column.shape.reduce((product, size) => product * size, bytesPerElement[column.dtype]);
    case "number":
      return 8;
    case "category":
      return 4;
    case "text":
      break;
  }
  // Texts are never packed.
  return 0;
};

/** Names of the three parts in the order of the assignment's byte. */
export const splitNames = ["train", "validation", "test"] as const;

/** All blobs that a version needs besides its manifest and profile. */
export const blobsOf = (manifest: DatasetManifest): DigestText[] => [
  manifest.split.assignment.digest,
  ...manifest.columns.flatMap((column) => column.segments.map((segment) => segment.digest)),
];

/**
 * A column by its name.
 * @throws PlatformError `column-unknown` naming the columns there are.
 */
export const columnNamed = <C extends StoredColumn>(columns: readonly C[], name: string): C => {
  const found = columns.find(({ column }) => column.name === name);
  if (found !== undefined) return found;
  const names = columns.slice(0, 100).map(({ column }) => column.name);
  throw new PlatformError(
    "column-unknown",
    `There is no column ${JSON.stringify(name)}. Columns are: ${names.join(", ")}.`,
  );
};
