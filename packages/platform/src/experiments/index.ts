export { experimentRoutes } from "./routes.ts";
export { type RunChange, type StoredRun } from "./run.ts";
export { type RunEngine, type RunExit, runExitCodes } from "./run-engine.ts";
export type { NewRunEvent, OpenRunFolder, RunFolder, RunFolders, RunResult, StoredCheckpoint } from "./run-folder.ts";
export type { RunSpec } from "./run-spec.ts";
export type { ExperimentSummary, Lease, RunFilter, RunStore } from "./run-store.ts";
export { RunSupervisor, type SuperviseDependencies } from "./supervise-runs.ts";
export { trainRun } from "./train-run.ts";
export { sweepRuns } from "./sweep-runs.ts";
