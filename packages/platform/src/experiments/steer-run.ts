import { setTimeout as delay } from "node:timers/promises";
import type { RunEvent } from "@modelyard/contracts";
import { type Clock, failpoint, notFound, PlatformError } from "../foundation/index.ts";
import { isOver, isResumable, type StoredRun } from "./run.ts";
import type { RunEngine } from "./run-engine.ts";
import type { OpenRunFolder } from "./run-folder.ts";
import type { RunStore } from "./run-store.ts";
import { summarizeEvents } from "./supervise-runs.ts";

/** What steering and watching runs needs. */
export interface SteerDependencies {
  readonly runs: RunStore;
  readonly engine: RunEngine;
  readonly openFolder: OpenRunFolder;
  readonly clock: Clock;
  /** Told when a run waits. */
  readonly onQueued: () => void;
}

const pollEveryMs = 100;

/** A run and the workspace that asks for it. */
export interface RunKey {
  readonly workspaceId: string;
  readonly id: string;
}

const stored = async (runs: RunStore, { workspaceId, id }: RunKey): Promise<StoredRun> => {
  const run = await runs.findRun(workspaceId, id);
  if (run === null) throw notFound("run of this id");
  return run;
};

/** A run as it is now: while it trains, progress and metrics come from what it last wrote. */
export const showRun = async (dependencies: SteerDependencies, key: RunKey): Promise<StoredRun> => {
  const run = await stored(dependencies.runs, key);
  if (isOver(run.state) || run.attempts === 0) return run;
  const folder = await dependencies.openFolder(run.id);
  return { ...run, ...summarizeEvents(await folder.eventsAfter(0)) };
};

/** A run's events from one on, as they come, until the run is over. */
export const watchRun = async (
  dependencies: SteerDependencies,
  key: RunKey,
  options: { readonly after: number; readonly signal: AbortSignal },
): Promise<AsyncIterable<RunEvent>> => {
  await stored(dependencies.runs, key);
  const folder = await dependencies.openFolder(key.id);
  async function* events(): AsyncGenerator<RunEvent> {
    let { after } = options;
    while (!options.signal.aborted) {
      // Asked before the reading: what a finished run wrote is then all there.
      const over = isOver((await stored(dependencies.runs, key)).state);
      for (const event of await folder.eventsAfter(after)) {
        after = event.sequence;
        yield event;
      }
      if (over) return;
      await delay(pollEveryMs);
    }
  }
  return events();
};

const conflict = (run: StoredRun, wanted: string): PlatformError =>
  new PlatformError(
    "run-state-conflict",
    `The run is ${run.state} and cannot be ${wanted}. Look at it with \`runs show\`.`,
  );

/**
 * Cancels a run: a waiting one at once, a training one after it wrote a checkpoint; a second time ends it by force.
 * @throws PlatformError `not-found`, `run-state-conflict` when it is over.
 */
export const cancelRun = async (dependencies: SteerDependencies, key: RunKey): Promise<StoredRun> => {
  const { runs, engine, clock, openFolder } = dependencies;
  const run = await stored(runs, key);
  const reason = { code: "canceled", detail: "The run was canceled before it started." };
  const endedAtMs = clock.nowMs();
  const waiting = await runs.changeRun(key.workspaceId, key.id, {
    from: ["queued"],
    to: { state: "canceled", reason, endedAtMs },
  });
  if (waiting !== null) {
    await (await openFolder(key.id)).append([{ type: "state", state: "canceled", reason }], endedAtMs);
    return waiting;
  }
  const asked = await runs.changeRun(key.workspaceId, key.id, { from: ["running"], to: { state: "canceling" } });
  if (asked !== null) {
    failpoint("run.canceling");
    await engine.end(key.id, "gracefully");
    return asked;
  }
  const again = await stored(runs, key);
  if (again.state !== "canceling") throw conflict(again, "canceled");
  await engine.end(run.id, "hard");
  return again;
};

/**
 * Queues a canceled or failed run again; it goes on from its last checkpoint, with another learning rate if asked.
 * @throws PlatformError `not-found`, `run-state-conflict`, `run-not-resumable` when it has no checkpoint.
 */
export const resumeRun = async (
  dependencies: SteerDependencies,
  key: RunKey,
  options: { readonly learningRate?: number | undefined } = {},
): Promise<StoredRun> => {
  const { runs, clock, openFolder } = dependencies;
  const run = await stored(runs, key);
  if (!isResumable(run.state)) throw conflict(run, "resumed");
  const folder = await openFolder(key.id);
  if (!(await folder.hasCheckpoint())) {
    throw new PlatformError("run-not-resumable", "The run wrote no checkpoint. Start a new run instead.");
  }
  const { learningRate } = options;
  if (learningRate !== undefined) {
    const [newest] = await folder.checkpoints();
    const resumption = { checkpoint: newest?.name ?? "", learningRate };
    await folder.writeSpec({ ...(await folder.readSpec()), resumption });
  }
  await folder.clearResult();
  await folder.append([{ type: "state", state: "queued", reason: null }], clock.nowMs());
  failpoint("run.resuming");
  const queued = await runs.changeRun(key.workspaceId, key.id, {
    from: [run.state],
    to: { state: "queued", reason: null, endedAtMs: null },
  });
  if (queued === null) throw conflict(await stored(runs, key), "resumed");
  dependencies.onQueued();
  return queued;
};
