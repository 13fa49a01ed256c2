import { readFileSync, renameSync } from "node:fs";
import { join } from "node:path";

/** What is written as a whole file or not at all. */
export const atomicWrites = [
  "checkpoint",
  "run-spec",
  "run-result",
  "routes",
  "pepper",
  "admin-key",
  "audit-key",
  "backup-manifest",
] as const;
/** Name of what is written as a whole. */
export type AtomicWrite = (typeof atomicWrites)[number];

const atomicSteps = ["opened", "written", "renamed"] as const;
type AtomicStep = (typeof atomicSteps)[number];

/** Places inside operations of more than one step: named by what was done last. */
const operationSteps = [
  "blob.opened",
  "blob.written",
  "blob.renamed",
  "import.claimed",
  "import.stored",
  "import.forgotten",
  "import.assembled",
  "import.added",
  "dataset.half-added",
  "run.written",
  "run.added",
  "run.claimed",
  "run.registered",
  "run.ended",
  "run.canceling",
  "run.resuming",
  "version.half-added",
  "version.added",
  "alias.half-moved",
  "alias.moved",
  "endpoint.added",
  "endpoint.replica-added",
  "endpoint.removed",
  "key.added",
  "key.revoked",
  "backup.database-copied",
  "backup.copied",
  "restore.copied",
  "migration.backed-up",
  "migration.statement",
  "migration.recorded",
] as const;

/** Name of a failpoint. */
export type FailpointName = `${AtomicWrite}.${AtomicStep}` | (typeof operationSteps)[number];

/**
 * Every place between two durable steps at which tests make a process die or a system call fail.
 * The fault test F2 holds a case for each; without one the types do not check.
 */
export const failpointNames: readonly FailpointName[] = [
  ...atomicWrites.flatMap((write) => atomicSteps.map((step) => `${write}.${step}` as const)),
  ...operationSteps,
];

/** Folder in which tests arm failpoints; `null` outside tests: a failpoint then costs one comparison. */
let folder: string | null = null;
const passes = new Map<FailpointName, number>();

/** Lets failpoints fire in this process. @param path Folder in which files named like failpoints arm them. */
export const enableFailpoints = (path: string): void => {
  folder = path === "" ? null : path;
};

const readArmed = (file: string): string | null => {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return null;
  }
};

const systemError = (code: string, name: FailpointName): Error =>
  Object.assign(new Error(`${code}: failpoint ${name}`), { code });

const fire = (name: FailpointName, armed: string): void => {
  const [action = "", nth] = armed.split("@");
  const pass = (passes.get(name) ?? 0) + 1;
  passes.set(name, pass);
  if (nth === undefined) throw systemError(action, name);
  if (pass < Number(nth)) return;
  // The mark is made first: whoever comes after the kill must not die of the same failpoint.
  const file = join(folder ?? "", name);
  renameSync(file, `${file}.hit`);
  passes.delete(name);
  if (action !== "kill") throw systemError(action, name);
  process.kill(process.pid, "SIGKILL");
};

/**
 * A place at which a test may end this process or fail the next system call. The file of this name in the folder of
 * failpoints says what: `kill@3` kills at the third pass, `EIO@1` fails once, `ENOSPC` fails as long as the file lies
 * there. What has fired leaves `<name>.hit`.
 * @throws Error with the code that the file names.
 */
export const failpoint = (name: FailpointName): void => {
  if (folder === null) return;
  const armed = readArmed(join(folder, name));
  if (armed !== null) fire(name, armed);
};
