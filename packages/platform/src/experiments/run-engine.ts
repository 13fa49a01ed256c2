/** How a training process ended. */
export interface RunExit {
  readonly runId: string;
  readonly code: number | null;
  readonly signal: string | null;
  /** Last line of its error stream, for people. */
  readonly lastError: string | null;
}

/** Exit codes of a training process; anything else is a crash. */
export const runExitCodes = { succeeded: 0, failed: 2, canceled: 3 } as const;

/**
 * Runs training processes, level-triggered: the engine is told which should run and says which do.
 * Not responsible for queueing or for what a run means.
 */
export interface RunEngine {
  /** Makes exactly these runs have a process; those no longer named are forgotten, and ended if they still run. */
  apply(runIds: readonly string[]): Promise<void>;
  /** Processes that run and those that ended and were not forgotten yet. */
  observe(): Promise<readonly { readonly runId: string; readonly exit: RunExit | null }[]>;
  /** Asks a run to write a checkpoint and end, or ends it at once. */
  end(runId: string, how: "gracefully" | "hard"): Promise<void>;
  /** Tells of changes until the returned function is called. */
  onChange(listener: () => void): () => void;
}
