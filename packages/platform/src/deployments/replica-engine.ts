/** What a replica process is told at its start; enough to serve without asking anybody. */
export interface ReplicaSpec {
  readonly id: string;
  readonly endpoint: string;
  readonly model: string;
  readonly version: number;
  /** Digest of the artefact's manifest. */
  readonly digest: string;
}

/** A replica as it is seen now. */
export interface ObservedReplica {
  readonly id: string;
  readonly state: "starting" | "ready" | "draining";
  readonly restarts: number;
  readonly startedAtMs: number | null;
  /** Why it is not ready, when it ended before. */
  readonly reason: string | null;
}

/** Runs replicas, level-triggered: told which should run, it starts, restarts and drains. */
export interface ReplicaEngine {
  apply(replicas: readonly ReplicaSpec[]): Promise<void>;
  observe(): Promise<readonly ObservedReplica[]>;
  /** Tells of changes until the returned function is called. */
  onChange(listener: () => void): () => void;
  /** Where a replica is reached. */
  address(replicaId: string): string;
}
