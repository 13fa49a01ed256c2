import type { Evaluation, Run, RunState, StartRun } from "@modelyard/contracts";
import { timestamp } from "../foundation/index.ts";

/** Why a run ended as it did. */
export interface RunReason {
  readonly code: string;
  readonly detail: string;
}

/** How far a run is. */
export interface RunProgress {
  readonly epoch: number;
  readonly epochs: number;
  readonly step: number;
  readonly stepsPerEpoch: number;
}

/** One attempt at a question, as it is stored. */
export interface StoredRun {
  readonly id: string;
  readonly workspaceId: string;
  readonly experiment: string;
  readonly state: RunState;
  readonly reason: RunReason | null;
  readonly request: StartRun;
  readonly createdAtMs: number;
  readonly startedAtMs: number | null;
  readonly endedAtMs: number | null;
  readonly attempts: number;
  readonly progress: RunProgress | null;
  readonly metrics: Readonly<Record<string, number>>;
  readonly evaluation: Evaluation | null;
  readonly registered: { readonly model: string; readonly version: number } | null;
}

/** Fields of a run that change. */
export type RunChange = Partial<
  Pick<
    StoredRun,
    "state" | "reason" | "startedAtMs" | "endedAtMs" | "attempts" | "progress" | "metrics" | "evaluation" | "registered"
  >
>;

/** States in which a run may still change by itself. */
const liveStates: ReadonlySet<RunState> = new Set(["queued", "running", "canceling"]);

/** Whether a run is over. */
export const isOver = (state: RunState): boolean => !liveStates.has(state);

/** Whether a run may be resumed from its last checkpoint. */
export const isResumable = (state: RunState): boolean => state === "failed" || state === "canceled";

/** Crashes without a new checkpoint in between after which a run is given up. */
export const crashesMax = 3;

/** A run as clients see it. */
export const toRun = (run: StoredRun): Run => ({
  id: run.id,
  experiment: run.experiment,
  state: run.state,
  reason: run.reason,
  request: run.request,
  createdAt: timestamp(run.createdAtMs),
  startedAt: run.startedAtMs === null ? null : timestamp(run.startedAtMs),
  endedAt: run.endedAtMs === null ? null : timestamp(run.endedAtMs),
  attempts: run.attempts,
  progress: run.progress,
  metrics: { ...run.metrics },
  evaluation: run.evaluation,
  registered: run.registered,
});
