import { existsSync } from "node:fs";
import { readdir, readFile, rm } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import Sqlite from "better-sqlite3";
import { type Clock, codeVersion, failpoint, PlatformError, timestamp } from "../foundation/index.ts";
import { writeFileAtomic } from "./atomic-file.ts";
import { type BackupFile, type BackupManifest, manifestName } from "./backup-manifest.ts";
import { copyFileDurably } from "./copy-file.ts";
import type { DataDirectory } from "./data-directory.ts";
import { makeWholeFolder } from "./whole-folder.ts";

const pagesPerStep = 0x7fff_ffff;
const digestPattern = /sha256:([0-9a-f]{64})/g;

const isMissing = (error: unknown): boolean => error instanceof Error && "code" in error && error.code === "ENOENT";

const hexDigests = (text: string): string[] => [...text.matchAll(digestPattern)].map(([, hex = ""]) => hex);

/** What a copied database says must lie beside it. */
interface Contents {
  readonly runs: readonly string[];
  /** Blobs that versions are made of. */
  readonly needed: ReadonlySet<string>;
  /** Blobs of imports under way, which may not be there yet. */
  readonly claimed: ReadonlySet<string>;
}

const readContents = (file: string): Contents => {
  const database = new Sqlite(file, { readonly: true });
  try {
    const texts = (sql: string): string[] => database.prepare<[], string>(sql).pluck().all();
    const finished = "version_id in (select id from dataset_versions)";
    return {
      runs: texts("select id from runs"),
      needed: new Set(
        [
          ...texts(`select digest from dataset_blobs where ${finished}`),
          ...texts("select digest || artefact from model_versions"),
        ].flatMap(hexDigests),
      ),
      claimed: new Set(texts(`select digest from dataset_blobs where not ${finished}`).flatMap(hexDigests)),
    };
  } finally {
    database.close();
  }
};

/** One backup being made. */
class Backup {
  readonly #directory: DataDirectory;
  readonly #folder: string;
  readonly files: BackupFile[] = [];

  constructor(directory: DataDirectory, folder: string) {
    this.#directory = directory;
    this.#folder = folder;
  }

  /** Copies the database as it is at one moment, whoever writes meanwhile. */
  async copyDatabase(): Promise<Contents> {
    const copy = join(this.#folder, "snapshot.db");
    const source = new Sqlite(this.#directory.database, { readonly: true });
    // All pages in one step: smaller ones begin anew whenever somebody writes.
    await source.backup(copy, { progress: () => pagesPerStep }).finally(() => source.close());
    const contents = readContents(copy);
    await this.#add(copy, this.#directory.database);
    await rm(copy);
    return contents;
  }

  /** Copies a file that may be absent. */
  async copyIfThere(file: string): Promise<void> {
    try {
      await this.#add(file, file);
    } catch (error) {
      if (!isMissing(error)) throw error;
      await rm(this.#placeOf(file), { force: true });
    }
  }

  /** @throws PlatformError `artefact-corrupt` when the bytes are not those that the digest names. */
  async copyBlob(hex: string, mustBeThere: boolean): Promise<void> {
    const file = join(this.#directory.blobs, hex.slice(0, 2), hex.slice(2));
    if (!mustBeThere && !existsSync(file)) return;
    const { sha256 } = await this.#add(file, file);
    if (sha256 === hex) return;
    throw new PlatformError(
      "artefact-corrupt",
      `The stored file sha256:${hex} does not hold its bytes, so there is no backup. Restore it from an older backup first.`,
    );
  }

  /** Copies what runs have written; what a run under way removes meanwhile is left out. */
  async copyRuns(runs: readonly string[]): Promise<void> {
    for (const run of runs) {
      const folder = join(this.#directory.runs, run);
      const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
      for (const entry of entries.filter((entry) => entry.isFile() && !entry.name.endsWith(".tmp"))) {
        await this.copyIfThere(join(entry.parentPath, entry.name));
      }
    }
  }

  /** Digests that results of trainings name: they are registered after the restore. */
  async promised(): Promise<string[]> {
    const results = this.files.filter(({ path }) => path.endsWith("/result.json"));
    const texts = await Promise.all(results.map(({ path }) => readFile(join(this.#folder, "data", path), "utf8")));
    return texts.flatMap(hexDigests);
  }

  #placeOf(file: string): string {
    return join(this.#folder, "data", relative(this.#directory.root, file));
  }

  async #add(from: string, as: string): Promise<BackupFile> {
    const copied = await copyFileDurably(from, this.#placeOf(as));
    const added = { path: relative(this.#directory.root, as).split(sep).join("/"), ...copied };
    this.files.push(added);
    return added;
  }
}

const copyAll = async (directory: DataDirectory, folder: string): Promise<readonly BackupFile[]> => {
  const backup = new Backup(directory, folder);
  // Before the database: a signed checkpoint that is newer than the log would look like a cut log.
  for (const file of [directory.auditCheckpoints, directory.pepper, directory.auditKey, directory.adminKey]) {
    await backup.copyIfThere(file);
  }
  const { runs, needed, claimed } = await backup.copyDatabase();
  failpoint("backup.database-copied");
  await backup.copyRuns(runs);
  const optional = new Set([...claimed, ...(await backup.promised())]);
  for (const hex of needed) await backup.copyBlob(hex, true);
  for (const hex of optional) if (!needed.has(hex)) await backup.copyBlob(hex, false);
  return backup.files;
};

/**
 * Copies a data directory while it is used: the database as it is at one moment, and every file that it names, each
 * with its digest. The backup holds the installation's secrets and is readable by its owner alone.
 * @param target Folder that does not exist yet; it appears when the backup is whole.
 * @throws PlatformError `already-exists`, `file-unreadable` when there is no database, `artefact-corrupt`, `disk-full`.
 */
export const backUp = async (directory: DataDirectory, target: string, clock: Clock): Promise<BackupManifest> => {
  if (existsSync(target)) {
    throw new PlatformError(
      "already-exists",
      `${target} exists. Name a folder that does not, for the backup to become.`,
    );
  }
  if (!existsSync(directory.database)) {
    throw new PlatformError("file-unreadable", `${directory.root} holds no Modelyard. Name its folder with --data.`);
  }
  return makeWholeFolder(target, async (folder) => {
    const files = await copyAll(directory, folder);
    failpoint("backup.copied");
    const manifest = { format: 1 as const, createdAt: timestamp(clock.nowMs()), codeVersion, files };
    await writeFileAtomic(join(folder, manifestName), JSON.stringify(manifest), "backup-manifest");
    return manifest;
  });
};
