import type { ImportDataset, ImportEvent } from "@modelyard/contracts";
import { readFile } from "node:fs/promises";
import { Readable } from "node:stream";
import { BlobLedger, type DatasetStore, importDataset } from "../../packages/platform/src/datasets/index.ts";
import { silentLogger, systemClock, type UploadedFile } from "../../packages/platform/src/foundation/index.ts";
import { openDatabase } from "../../packages/platform/src/storage/database.ts";
import { KyselyDatasetStore } from "../../packages/platform/src/storage/kysely-dataset-store.ts";
import { MemoryBlobStore } from "../../packages/platform/src/storage/memory-blob-store.ts";

/** A file to import: its name and bytes, or the pieces in which they arrive. */
export interface TestFile {
  readonly name: string;
  readonly content: Uint8Array | string | readonly Uint8Array[];
}

/** Where dataset tests import to: a real database in memory and blobs in memory. */
export interface DatasetYard extends AsyncDisposable {
  readonly workspaceId: string;
  readonly store: DatasetStore;
  readonly blobs: MemoryBlobStore;
  readonly ledger: BlobLedger;
  /** Imports files and gives every event. */
  events(files: readonly TestFile[], options: ImportDataset, name?: string): Promise<ImportEvent[]>;
  /** Imports files and gives the version; fails the test when the import fails. */
  import(
    files: readonly TestFile[],
    options: ImportDataset,
    name?: string,
  ): Promise<Extract<ImportEvent, { type: "completed" }>>;
  /** Imports files that must be refused, and gives the refusal. */
  refusal(
    files: readonly TestFile[],
    options: ImportDataset,
  ): Promise<{ readonly code: string; readonly detail: string }>;
}

/** Gives files in the form of a multipart request. */
const uploads = async function* (files: readonly TestFile[]): AsyncGenerator<UploadedFile> {
  for (const { name, content } of files) {
    const chunks = Array.isArray(content) ? (content as readonly Uint8Array[]) : [Buffer.from(content as Uint8Array)];
    yield { name, stream: Readable.from(chunks, { objectMode: false }) };
  }
};

/** Opens a place to import to. */
export const openDatasetYard = async (): Promise<DatasetYard> => {
  const database = openDatabase(":memory:");
  const workspaceId = "ws_00000000000000000000000000";
  await database.kysely.insertInto("workspaces").values({ id: workspaceId, name: "default", created_at: 0 }).execute();
  const store = new KyselyDatasetStore(database.kysely);
  const blobs = new MemoryBlobStore();
  const ledger = new BlobLedger(store, blobs);
  const dependencies = { store, blobs, ledger, clock: systemClock, logger: silentLogger };
  const events: DatasetYard["events"] = async (files, options, name = "data") => {
    const signal = new AbortController().signal;
    const all: ImportEvent[] = [];
    const request = { workspaceId, name, options, files: uploads(files), signal };
    for await (const event of importDataset(dependencies, request)) all.push(event);
    return all;
  };
  return {
    workspaceId,
    store,
    blobs,
    ledger,
    events,
    import: async (files, options, name) => {
      const last = (await events(files, options, name)).at(-1);
      if (last?.type !== "completed") throw new Error(`the import failed: ${JSON.stringify(last)}`);
      return last;
    },
    refusal: async (files, options) => {
      const last = (await events(files, options)).at(-1);
      if (last?.type !== "failed") throw new Error(`the import was not refused: ${JSON.stringify(last)}`);
      return { code: last.code, detail: last.detail };
    },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
};

const fashionFolder = new URL("../../examples/data/fashion-mnist/", import.meta.url);

/** The four files of Fashion-MNIST, or those of one part. */
export const fashionFiles = (prefix: "t10k" | "train" | "" = ""): Promise<TestFile[]> =>
  Promise.all(
    ["train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"]
      .filter((name) => name.startsWith(prefix))
      .map(async (name) => ({
        name: `${name}-ubyte.gz`,
        content: await readFile(new URL(`${name}-ubyte.gz`, fashionFolder)),
      })),
  );
