import type { StartRun } from "@modelyard/contracts";
import { compile, type CompileOptions, parseDefinition } from "@modelyard/learn";
import { type Clock, type DigestText, failpoint, newIdentifier, type Once } from "../foundation/index.ts";
import { type DatasetStore, showDataset } from "../datasets/index.ts";
import { checkOutput, planTraining } from "./plan-training.ts";
import type { StoredRun } from "./run.ts";
import type { OpenRunFolder } from "./run-folder.ts";
import type { RunSpec } from "./run-spec.ts";
import type { RunStore } from "./run-store.ts";

/** What starting a run needs. */
export interface StartRunDependencies {
  readonly runs: RunStore;
  readonly datasets: DatasetStore;
  readonly openFolder: OpenRunFolder;
  readonly clock: Clock;
  readonly codeVersion: string;
  /** Told when a run waits. */
  readonly onQueued: () => void;
}

/** An engine that only checks: nothing runs before the training process. */
const neverRuns: CompileOptions["executor"] = {
  engine: "none",
  load: () => Promise.reject(new Error("nothing is executed while a run is being checked")),
};

/**
 * Queues a run, or finds the one that the same request queued before, after everything about it was checked that can be checked without the data.
 * @throws PlatformError `not-found`, `column-unknown`; LearnError for what the definition, loss or optimizer lacks.
 */
export const startRun = async (
  dependencies: StartRunDependencies,
  asked: { readonly workspaceId: string; readonly request: StartRun; readonly once: Once | undefined },
): Promise<StoredRun> => {
  const { runs, datasets, clock } = dependencies;
  const { workspaceId, request, once } = asked;
  const earlier = await runs.findRunMadeBy(workspaceId, once);
  if (earlier !== null) return earlier;
  const [name = "", version = "0"] = request.dataset.split("@");
  const stored = await showDataset(datasets, workspaceId, { name, version: Number(version) });
  const plan = planTraining(request, stored.version);
  await using learner = await compile(parseDefinition(plan.definition), { ...plan.compile, executor: neverRuns });
  checkOutput(plan, learner.shapes.output);
  const nowMs = clock.nowMs();
  const run: StoredRun = {
    id: newIdentifier("run", nowMs),
    workspaceId,
    experiment: request.experiment,
    state: "queued",
    reason: null,
    request,
    createdAtMs: nowMs,
    startedAtMs: null,
    endedAtMs: null,
    attempts: 0,
    progress: null,
    metrics: {},
    evaluation: null,
    registered: null,
  };
  const dataset = { reference: request.dataset, digest: stored.version.digest as DigestText };
  const added = await addRun(dependencies, { run, dataset, once });
  failpoint("run.added");
  dependencies.onQueued();
  return added;
};

/** Lays the run's folder down, then adds its row; a refused run leaves no folder. */
const addRun = async (
  { runs, openFolder, codeVersion }: StartRunDependencies,
  {
    run,
    dataset,
    once,
  }: { readonly run: StoredRun; readonly dataset: RunSpec["dataset"]; readonly once?: Once | undefined },
): Promise<StoredRun> => {
  const folder = await openFolder(run.id);
  try {
    await folder.writeSpec({ runId: run.id, request: run.request, dataset, codeVersion });
    await folder.append([{ type: "state", state: "queued", reason: null }], run.createdAtMs);
    failpoint("run.written");
    const added = await runs.addRun(run, once);
    if (added.id !== run.id) await folder.discard();
    return added;
  } catch (error) {
    await folder.discard();
    throw error;
  }
};
