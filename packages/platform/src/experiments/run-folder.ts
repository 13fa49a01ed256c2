import type { RunEvent } from "@modelyard/contracts";
import type { RunReason } from "./run.ts";
import type { RunSpec } from "./run-spec.ts";
import type { TrainedModel } from "./trained-model.ts";

type WithoutFrame<E> = E extends unknown ? Omit<E, "sequence" | "time"> : never;

/** An event before it gets its number and time. */
export type NewRunEvent = WithoutFrame<RunEvent>;

/** What a training process leaves behind at its end. */
export type RunResult =
  | { readonly outcome: "succeeded"; readonly trained: TrainedModel }
  | { readonly outcome: "failed" | "canceled"; readonly reason: RunReason };

/** A checkpoint as it lies there. */
export interface StoredCheckpoint {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * What one run writes: shared by the control plane and the training process, which never write at the same time.
 * Not responsible for the run's state.
 */
export interface RunFolder {
  /** Lays down what is to be trained. */
  writeSpec(spec: RunSpec): Promise<void>;
  readSpec(): Promise<RunSpec>;
  /** Appends events; numbers go on from the last complete one. A line that a killed writer left torn is cut off. */
  append(events: readonly NewRunEvent[], nowMs: number): Promise<void>;
  /** Complete events with numbers above `after`. */
  eventsAfter(after: number): Promise<readonly RunEvent[]>;
  /** Stores a checkpoint as a whole, and forgets all but the newest few. */
  writeCheckpoint(name: string, bytes: Uint8Array): Promise<void>;
  /** Checkpoints, newest first. */
  checkpoints(): Promise<readonly StoredCheckpoint[]>;
  hasCheckpoint(): Promise<boolean>;
  /** Removes the newest checkpoint: going on from it led to nothing. */
  dropNewestCheckpoint(): Promise<void>;
  writeResult(result: RunResult): Promise<void>;
  /** The result of the last attempt; `null` when it left none. */
  readResult(): Promise<RunResult | null>;
  /** Removes the result before a new attempt. */
  clearResult(): Promise<void>;
  /** Removes the folder and all in it. */
  discard(): Promise<void>;
  /** Removes what a killed training process left half-written; for the time after its end. */
  sweep(): Promise<void>;
}

/** All folders of runs, whoever made them. */
export interface RunFolders {
  /** Ids of the runs that have a folder. */
  list(): Promise<readonly string[]>;
  /** Removes a run's folder and all in it. */
  remove(runId: string): Promise<void>;
}

/** Opens the folder of a run, making it when it is new. */
export type OpenRunFolder = (runId: string) => Promise<RunFolder>;
