import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestPlatform } from "../kit/platform.ts";

/** All that an interruption must not change. */
export interface TrainingOutcome {
  /** Digest of the served graph: the final weights. */
  readonly graph: string;
  /** Metrics and learning rate of each epoch, in order. */
  readonly history: string;
  /** Digest of the last checkpoint: optimizer, generators, callbacks, history. */
  readonly state: string;
  readonly evaluation: string;
  /** Lines of the run's log that warn. */
  readonly warnings: readonly string[];
  readonly attempts: number;
}

/** Files of a run's checkpoints, newest first. */
export const checkpointFiles = async ({ supervisor }: TestPlatform, id: string): Promise<readonly string[]> => {
  const folder = join(supervisor.directory.runs, id, "checkpoints");
  const names = (await readdir(folder)).toSorted().toReversed();
  return names.map((name) => join(folder, name));
};

/** Waits for a run's end and reads what it came to. @throws Error when it did not succeed. */
export const outcomeOf = async (platform: TestPlatform, id: string): Promise<TrainingOutcome> => {
  const { yard } = platform;
  const epochs: unknown[] = [];
  const warnings: string[] = [];
  const run = await yard.runs.wait(id, (event) => {
    if (event.type === "epoch") epochs.push([event.epoch, event.metrics, event.learningRate]);
    if (event.type === "log" && event.level === "warning") warnings.push(event.message);
  });
  if (run.registered === null) throw new Error(`the run ${id} is ${run.state}: ${run.reason?.detail ?? ""}`);
  const { model, version } = run.registered;
  const { artefact } = await yard.models.version(model, version);
  const [last = ""] = await checkpointFiles(platform, id);
  return {
    graph: artefact.graph.digest,
    history: JSON.stringify(epochs),
    state: createHash("sha256")
      .update(await readFile(last))
      .digest("hex"),
    evaluation: JSON.stringify(run.evaluation),
    warnings,
    attempts: run.attempts,
  };
};

/** Whether two trainings came to the very same end. */
export const sameOutcome = (a: TrainingOutcome, b: TrainingOutcome): boolean =>
  a.graph === b.graph && a.history === b.history && a.state === b.state && a.evaluation === b.evaluation;
