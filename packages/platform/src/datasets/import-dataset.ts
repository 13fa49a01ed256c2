import type { ImportDataset, ImportEvent } from "@modelyard/contracts";
import { setTimeout as delay } from "node:timers/promises";
import {
  type Clock,
  failpoint,
  type Logger,
  newIdentifier,
  PlatformError,
  type UploadedFile,
} from "../foundation/index.ts";
import type { BlobStore } from "../storage/blob-store.ts";
import { asPlatformError, assembleVersion } from "./assemble-version.ts";
import type { BlobLedger } from "./blob-ledger.ts";
import type { DatasetStore } from "./dataset-store.ts";
import type { StoredDatasetVersion } from "./dataset-version.ts";
import { ImportSession } from "./import-session.ts";
import type { FormatReader } from "./imported-table.ts";
import { readCsv } from "./read-csv.ts";
import { readIdx } from "./read-idx.ts";
import { readImageFolder } from "./read-image-folder.ts";
import { readNpy } from "./read-npy.ts";

/** What an import needs. */
export interface ImportDependencies {
  readonly store: DatasetStore;
  readonly blobs: BlobStore;
  readonly ledger: BlobLedger;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Files to import as a version of a dataset. */
export interface ImportRequest {
  readonly workspaceId: string;
  readonly name: string;
  readonly options: ImportDataset;
  readonly files: AsyncIterable<UploadedFile>;
  readonly signal: AbortSignal;
}

const readers: Readonly<Record<ImportDataset["format"], FormatReader>> = {
  csv: readCsv,
  idx: readIdx,
  "image-folder": readImageFolder,
  npy: readNpy,
};

/** Time between two progress events. */
const progressEveryMs = 200;

const onlyFor = (
  options: ImportDataset,
  option: "labels" | "delimiter" | "kinds",
  formats: readonly string[],
): void => {
  if (options[option] === undefined || formats.includes(options.format)) return;
  throw new PlatformError(
    "invalid-input",
    `The option ${option} is for ${formats.join(" and ")} only; the format is ${options.format}. Leave it out.`,
    { fields: [{ path: `body.${option}`, message: `only for ${formats.join(" and ")}` }] },
  );
};

/**
 * Checks what can be checked before the first byte is read.
 * @throws PlatformError `invalid-input` or `split-invalid`.
 */
const checkImport = (options: ImportDataset): void => {
  onlyFor(options, "labels", ["idx", "npy"]);
  onlyFor(options, "delimiter", ["csv"]);
  onlyFor(options, "kinds", ["csv"]);
  const { split } = options;
  if (split === undefined || split.by === "given") return;
  const sum = split.train + split.validation + split.test;
  if (Math.abs(sum - 1) > 1e-6) {
    throw new PlatformError(
      "split-invalid",
      `The shares of the split must sum to 1; train, validation and test sum to ${sum}.`,
    );
  }
  if ((split.by === "group") !== (split.groupColumn !== undefined)) {
    throw new PlatformError("split-invalid", "groupColumn belongs to a split by group, and only to it.");
  }
};

const runImport = async (
  dependencies: ImportDependencies,
  request: ImportRequest,
  session: ImportSession,
): Promise<{ readonly stored: StoredDatasetVersion; readonly created: boolean }> => {
  const { store, ledger, clock } = dependencies;
  const { owner } = session;
  try {
    const table = await readers[request.options.format](session, request.files, request.options);
    const assembled = await assembleVersion(session, table, request.options);
    await ledger.release(owner, assembled.blobs);
    session.signal.throwIfAborted();
    const { digest, profileDigest, description } = assembled;
    const version = { id: owner.versionId, createdAtMs: clock.nowMs(), digest, profileDigest, description };
    failpoint("import.assembled");
    const added = await store.addVersion(request.workspaceId, request.name, version);
    failpoint("import.added");
    if (!added.created) await ledger.release(owner);
    return added;
  } catch (error) {
    await ledger.release(owner);
    throw asPlatformError(error);
  }
};

const failure = (error: unknown, logger: Logger): { readonly code: string; readonly detail: string } => {
  if (error instanceof PlatformError) return { code: error.code, detail: error.message };
  logger.error({ error }, "an import failed");
  return {
    code: "internal",
    detail: "The import failed inside the platform and was undone. Try again; the log has more.",
  };
};

/**
 * Imports files as a new version, reporting progress; the last event says how it ended. A failed import leaves
 * nothing behind, and neither does one whose reader goes away. The work begins with the first event that is asked for.
 * @throws PlatformError before the first event when the options cannot be used.
 */
export const importDataset = (dependencies: ImportDependencies, request: ImportRequest): AsyncIterable<ImportEvent> => {
  checkImport(request.options);
  return importEvents(dependencies, request);
};

const importEvents = async function* (
  dependencies: ImportDependencies,
  request: ImportRequest,
): AsyncGenerator<ImportEvent> {
  const gone = new AbortController();
  const signal = AbortSignal.any([request.signal, gone.signal]);
  const owner = {
    workspaceId: request.workspaceId,
    versionId: newIdentifier("ds", dependencies.clock.nowMs()),
  };
  const session = new ImportSession(dependencies, owner, signal);
  const work = runImport(dependencies, request, session).then(
    ({ stored, created }) => ({ type: "completed" as const, created, version: stored.version }),
    (error: unknown) => ({ type: "failed" as const, ...failure(error, dependencies.logger) }),
  );
  try {
    for (let sequence = 1; ; sequence++) {
      const timer = new AbortController();
      const tick = delay(progressEveryMs, null, { signal: timer.signal }).catch(() => null);
      const last = await Promise.race([work, tick]);
      timer.abort();
      if (last !== null) return yield { ...last, sequence };
      const { phase, rows, totalRows, bytes } = session;
      yield { type: "progress", sequence, phase, rows, totalRows, bytes };
    }
  } finally {
    gone.abort();
    await work;
  }
};
