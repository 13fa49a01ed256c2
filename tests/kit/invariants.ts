import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { DatabaseSync } from "node:sqlite";

/** The part of a data directory that is looked at. */
export interface DataDirectoryPaths {
  readonly root: string;
  readonly database: string;
  readonly blobs: string;
  readonly runs: string;
}

const digestPattern = /sha256:[0-9a-f]{64}/g;

const filesUnder = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));

/** Digests of the blobs that lie there, each with whether its bytes are right. */
const storedBlobs = (folder: string): ReadonlyMap<string, boolean> =>
  new Map(
    filesUnder(folder)
      .filter((file) => /^[0-9a-f]{2}\/[0-9a-f]{62}$/.test(file.split(sep).join("/")))
      .map((file) => {
        const hex = file.replaceAll(sep, "");
        return [
          `sha256:${hex}`,
          createHash("sha256")
            .update(readFileSync(join(folder, file)))
            .digest("hex") === hex,
        ];
      }),
  );

const textsOf = (database: DatabaseSync, sql: string): string[] =>
  database
    .prepare(sql)
    .all()
    .map(({ text }) => String(text));

/** What rows say must lie in the blob store. */
const neededBlobs = (database: DatabaseSync): Set<string> =>
  new Set([
    ...textsOf(database, "select digest as text from dataset_blobs"),
    ...textsOf(database, "select digest || artefact as text from model_versions").flatMap(
      (text) => text.match(digestPattern) ?? [],
    ),
  ]);

/** What results of trainings say that no version needs yet: they may lie there. */
const promisedBlobs = (runs: string): Set<string> =>
  new Set(
    filesUnder(runs)
      .filter((file) => file.endsWith("result.json"))
      .flatMap((file) => readFileSync(join(runs, file), "utf8").match(digestPattern) ?? []),
  );

/**
 * What must hold of a data directory whenever nothing is under way: everything that rows name is there and right, and
 * nothing is there that no row names.
 */
const brokenInvariants = ({ root, database: file, blobs, runs }: DataDirectoryPaths): string[] => {
  using closing = new DisposableStack();
  const database = new DatabaseSync(file, { readOnly: true });
  closing.defer(() => database.close());
  const broken: string[] = [];
  const [integrity] = textsOf(database, "select integrity_check as text from pragma_integrity_check");
  if (integrity !== "ok") broken.push(`the database is damaged: ${integrity ?? ""}`);
  if (textsOf(database, 'select "table" as text from pragma_foreign_key_check').length > 0)
    broken.push("a row names one that is not there");
  const unfinished = textsOf(
    database,
    "select distinct version_id as text from dataset_blobs where version_id not in (select id from dataset_versions)",
  );
  for (const id of unfinished) broken.push(`the import ${id} is neither finished nor undone`);
  const [stored, needed, promised] = [storedBlobs(blobs), neededBlobs(database), promisedBlobs(runs)];
  for (const digest of needed) {
    if (!stored.has(digest)) broken.push(`${digest} is needed and missing`);
    else if (stored.get(digest) === false) broken.push(`${digest} does not hold its bytes`);
  }
  for (const digest of stored.keys()) {
    if (!needed.has(digest) && !promised.has(digest)) broken.push(`${digest} lies there and nobody needs it`);
  }
  const known = new Set(textsOf(database, "select id as text from runs"));
  const folders = readdirSync(runs);
  for (const id of folders) if (!known.has(id)) broken.push(`the folder of ${id} belongs to no run`);
  for (const id of known) if (!folders.includes(id)) broken.push(`${id} has no folder`);
  const temporary = filesUnder(root).filter((name) => name.endsWith(".tmp") || name.startsWith(join("blobs", "tmp")));
  for (const name of temporary) broken.push(`${name} was left half-written`);
  return broken;
};

const settlesWithinMs = 3000;

/**
 * Breaches of what must hold of a data directory, read from the files themselves beside the running platform. What
 * passes by itself, such as a file that is just being written, is none.
 * @returns A sentence for each breach.
 */
export const lastingBreaches = async (directory: DataDirectoryPaths): Promise<readonly string[]> => {
  const endMs = performance.now() + settlesWithinMs;
  for (;;) {
    const broken = brokenInvariants(directory);
    if (broken.length === 0 || performance.now() > endMs) return broken;
    await delay(100);
  }
};
