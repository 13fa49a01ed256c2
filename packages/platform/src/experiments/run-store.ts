import type { RunState } from "@modelyard/contracts";
import type { Once, Page, PageRequest } from "../foundation/index.ts";
import type { RunChange, StoredRun } from "./run.ts";

/** Which runs to list. */
export interface RunFilter extends PageRequest {
  readonly experiment?: string | undefined;
  readonly state?: RunState | undefined;
}

/** An experiment and its newest run. */
export interface ExperimentSummary {
  readonly name: string;
  readonly createdAtMs: number;
  readonly runs: number;
  readonly lastRun: StoredRun | null;
}

/** A claim on the queue: who works, and until when unless it is renewed. */
export interface Lease {
  readonly owner: string;
  readonly nowMs: number;
  readonly untilMs: number;
}

/** Knows experiments and runs, and is the queue of runs that wait. Not responsible for what a run writes. */
export interface RunStore {
  /**
   * Adds a queued run, and its experiment when it is new.
   * @returns The run; the one that the same request made before, when it did.
   * @throws PlatformError `idempotency-key-reused`.
   */
  addRun(run: StoredRun, once?: Once): Promise<StoredRun>;
  /** The run that the same request made before, or `null`. @throws PlatformError `idempotency-key-reused`. */
  findRunMadeBy(workspaceId: string, once: Once | undefined): Promise<StoredRun | null>;
  /** Those of the ids that no workspace has a run of. */
  unknownRuns(ids: readonly string[]): Promise<readonly string[]>;
  /** A run, or `null` when the workspace has none of that id. */
  findRun(workspaceId: string, id: string): Promise<StoredRun | null>;
  /** Runs of a workspace, newest first. */
  listRuns(workspaceId: string, filter: RunFilter): Promise<Page<StoredRun>>;
  /** Experiments of a workspace by name, each with its newest run. */
  listExperiments(workspaceId: string, page: PageRequest): Promise<Page<ExperimentSummary>>;
  /**
   * Changes a run if it is in one of the given states.
   * @returns The run after the change, or `null` when it was in another state: somebody was faster.
   */
  changeRun(
    workspaceId: string,
    id: string,
    change: { readonly from: readonly RunState[]; readonly to: RunChange },
  ): Promise<StoredRun | null>;
  /** Takes the oldest queued run under a lease and makes it `running`; `null` when none waits. */
  claimRun(lease: Lease): Promise<StoredRun | null>;
  /** Prolongs the owner's leases. */
  renewLeases(lease: Lease): Promise<void>;
  /** Runs of all workspaces that are running or canceling, whoever holds their lease. */
  activeRuns(): Promise<readonly StoredRun[]>;
}
