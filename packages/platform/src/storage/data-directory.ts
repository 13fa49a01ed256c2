import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import Sqlite from "better-sqlite3";
import { PlatformError } from "../foundation/index.ts";
import { sweepTemporaryFiles } from "./atomic-file.ts";

/** Where everything of one Modelyard lies. */
export interface DataDirectory {
  readonly root: string;
  readonly database: string;
  readonly blobs: string;
  readonly runs: string;
  readonly pepper: string;
  readonly adminKey: string;
  /** Signs the audit log's checkpoints. */
  readonly auditKey: string;
  readonly auditCheckpoints: string;
  readonly routing: string;
  /** Node's compiled code: what starts again starts faster and smaller. May be deleted at any time. */
  readonly codeCache: string;
  /** Folder of this directory's Unix sockets; short, because their paths may not exceed about 100 bytes. */
  readonly sockets: string;
  readonly controlPlaneSocket: string;
}

/**
 * Names the places of a data directory and makes its folders, readable by their owner alone.
 * @param path Folder; made when absent.
 */
export const openDataDirectory = (path: string): DataDirectory => {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const root = realpathSync(path);
  const hash = createHash("sha256").update(root).digest("hex").slice(0, 12);
  const sockets = join(tmpdir(), `modelyard-${hash}`);
  for (const folder of [
    sockets,
    ...["blobs", "runs", "secrets", "gateway", "code-cache"].map((name) => join(root, name)),
  ]) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }
  chmodSync(sockets, 0o700);
  return {
    root,
    database: join(root, "modelyard.db"),
    blobs: join(root, "blobs"),
    runs: join(root, "runs"),
    pepper: join(root, "secrets", "pepper"),
    adminKey: join(root, "admin.key"),
    auditKey: join(root, "secrets", "audit.key"),
    auditCheckpoints: join(root, "audit-checkpoints.jsonl"),
    routing: join(root, "gateway", "routing.json"),
    codeCache: join(root, "code-cache"),
    sockets,
    controlPlaneSocket: join(sockets, "control-plane.sock"),
  };
};

/** Removes what a killed control plane left half-written: nobody else writes into the root and the secrets. */
export const sweepAfterControlPlane = async ({ root, pepper }: DataDirectory): Promise<void> => {
  for (const folder of [root, dirname(pepper)]) await sweepTemporaryFiles(folder);
};

/** Removes what a killed gateway left half-written. */
export const sweepAfterGateway = ({ routing }: DataDirectory): Promise<void> => sweepTemporaryFiles(dirname(routing));

/**
 * Takes the data directory for this process until disposed; the operating system gives it back when the process dies.
 * @throws PlatformError `data-directory-in-use` when another process holds it.
 */
export const lockDataDirectory = (directory: DataDirectory): Disposable => {
  // SQLite's own file lock is one that every platform releases with the process, even after a kill.
  const lock = new Sqlite(join(directory.root, "lock"), { timeout: 0 });
  try {
    lock.exec("begin exclusive");
  } catch (error) {
    lock.close();
    throw new PlatformError(
      "data-directory-in-use",
      "Another Modelyard runs on this data directory. Use that one, stop it, or choose another directory with --data.",
      { cause: error },
    );
  }
  return { [Symbol.dispose]: () => void lock.close() };
};
