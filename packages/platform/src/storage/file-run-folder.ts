import { mkdir, open, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { RunEvent } from "@modelyard/contracts";
import type {
  NewRunEvent,
  OpenRunFolder,
  RunFolder,
  RunFolders,
  RunResult,
  RunSpec,
  StoredCheckpoint,
} from "../experiments/index.ts";
import { notFound, timestamp } from "../foundation/index.ts";
import { sweepTemporaryFiles, writeFailure, writeFileAtomic } from "./atomic-file.ts";

const checkpointsKept = 2;
const newline = 10;

const orNull = async <T>(work: Promise<T>): Promise<T | null> => {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
};

/** A run's files: `spec.json`, `events.jsonl`, `checkpoints/`, `result.json`. */
class FileRunFolder implements RunFolder {
  readonly #folder: string;
  readonly #journal: string;
  /** Number of the last event; unknown until the journal was read. */
  #sequence: number | null = null;

  constructor(folder: string) {
    this.#folder = folder;
    this.#journal = join(folder, "events.jsonl");
  }

  async writeSpec(spec: RunSpec): Promise<void> {
    await writeFileAtomic(join(this.#folder, "spec.json"), JSON.stringify(spec), "run-spec");
  }

  async readSpec(): Promise<RunSpec> {
    // Written by this class from a request that was parsed at the edge.
    return JSON.parse(await readFile(join(this.#folder, "spec.json"), "utf8")) as RunSpec;
  }

  async append(events: readonly NewRunEvent[], nowMs: number): Promise<void> {
    const handle = await open(this.#journal, "a+", 0o600);
    try {
      const size = await this.#cutTornLine(handle);
      let sequence = await this.#lastSequence(size);
      const time = timestamp(nowMs);
      const lines = events.map((event) => {
        sequence += 1;
        return `${JSON.stringify({ ...event, sequence, time })}\n`;
      });
      await handle.appendFile(lines.join(""));
      // Steps may be lost with the power; what says that something is finished may not.
      if (events.some(({ type }) => type !== "step")) await handle.sync();
      this.#sequence = sequence;
      this.#size = size + Buffer.byteLength(lines.join(""));
    } catch (error) {
      this.#sequence = null;
      throw writeFailure(error);
    } finally {
      await handle.close();
    }
  }
  #size = -1;

  async eventsAfter(after: number): Promise<readonly RunEvent[]> {
    const bytes = await orNull(readFile(this.#journal));
    if (bytes === null) return [];
    const complete = bytes.subarray(0, bytes.lastIndexOf(newline) + 1);
    const lines = complete.toString("utf8").split("\n").slice(0, -1);
    // Line n holds event n: numbers are given without gaps.
    return lines.slice(after).map((line) => JSON.parse(line) as RunEvent);
  }

  async writeCheckpoint(name: string, bytes: Uint8Array): Promise<void> {
    const folder = join(this.#folder, "checkpoints");
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFileAtomic(join(folder, `${name}.ckpt`), bytes, "checkpoint");
    for (const old of (await this.#checkpointNames()).slice(checkpointsKept))
      await rm(join(folder, old), { force: true });
  }

  async checkpoints(): Promise<readonly StoredCheckpoint[]> {
    const found: StoredCheckpoint[] = [];
    for (const name of await this.#checkpointNames()) {
      found.push({ name, bytes: await readFile(join(this.#folder, "checkpoints", name)) });
    }
    return found;
  }

  async hasCheckpoint(): Promise<boolean> {
    return (await this.#checkpointNames()).length > 0;
  }

  async dropNewestCheckpoint(): Promise<void> {
    const [newest] = await this.#checkpointNames();
    if (newest !== undefined) await rm(join(this.#folder, "checkpoints", newest), { force: true });
  }

  async writeResult(result: RunResult): Promise<void> {
    await writeFileAtomic(join(this.#folder, "result.json"), JSON.stringify(result), "run-result");
  }

  async readResult(): Promise<RunResult | null> {
    const text = await orNull(readFile(join(this.#folder, "result.json"), "utf8"));
    return text === null ? null : (JSON.parse(text) as RunResult);
  }

  async clearResult(): Promise<void> {
    await rm(join(this.#folder, "result.json"), { force: true });
  }

  async discard(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  async sweep(): Promise<void> {
    await sweepTemporaryFiles(this.#folder);
    await sweepTemporaryFiles(join(this.#folder, "checkpoints"));
  }

  async #checkpointNames(): Promise<string[]> {
    const names = (await orNull(readdir(join(this.#folder, "checkpoints")))) ?? [];
    return names
      .filter((name) => name.endsWith(".ckpt"))
      .toSorted()
      .toReversed();
  }

  /** A writer killed in the middle of a line leaves half of one, which never counted. */
  async #cutTornLine(handle: Awaited<ReturnType<typeof open>>): Promise<number> {
    const { size } = await handle.stat();
    if (size === this.#size && this.#sequence !== null) return size;
    this.#sequence = null;
    if (size === 0) return 0;
    const bytes = await readFile(this.#journal);
    const end = bytes.lastIndexOf(newline) + 1;
    if (end < size) await handle.truncate(end);
    return end;
  }

  async #lastSequence(size: number): Promise<number> {
    if (this.#sequence !== null) return this.#sequence;
    return size === 0 ? 0 : ((await this.eventsAfter(0)).at(-1)?.sequence ?? 0);
  }
}

const runId = /^run_[0-9a-z]{26}$/;

/** Folders of runs below one folder, for housekeeping. */
export const fileRunFolders = (root: string): RunFolders => ({
  list: async () => (await readdir(root)).filter((name) => runId.test(name)),
  remove: (id) => rm(join(root, id), { recursive: true, force: true }),
});

/** Opens runs' folders below one folder. */
export const openRunFolders =
  (root: string): OpenRunFolder =>
  async (id) => {
    if (!runId.test(id)) throw notFound("run of this id");
    const folder = join(root, id);
    if ((await orNull(stat(folder))) === null) await mkdir(folder, { recursive: true, mode: 0o700 });
    return new FileRunFolder(folder);
  };
