/** What a member of the family runs: a file of `processes/`. */
export type ProcessEntry = "gateway" | "control-plane" | "replica" | "trainer";

/** A process that should run. Its name is its identity: a listed name that runs already is left alone. */
export interface ProcessMember {
  /** Unique over all groups, e.g. a replica's or run's id. */
  readonly name: string;
  readonly entry: ProcessEntry;
  /** Added to what every member gets; never holds secrets that a log could show. */
  readonly environment: Readonly<Record<string, string>>;
  /** `always`: started again after any end, with a growing pause. `never`: its end stays observable until it is no longer listed. */
  readonly restart: "always" | "never";
  /** Time between the request to end (SIGTERM) and the end by force (SIGKILL). */
  readonly graceMs: number;
}

/**
 * `starting` until the process says that it is ready, `ready`, `stopping` after it was asked to end,
 * `waiting` for its next start after a crash, `exited` for good (restart `never`).
 */
export type ProcessState = "starting" | "ready" | "stopping" | "waiting" | "exited";

/** How a process ended. */
export interface ProcessExit {
  readonly code: number | null;
  readonly signal: string | null;
  /** Last line it logged as an error or wrote to its error stream, for people. */
  readonly lastError: string | null;
}

/** A member as it is now. */
export interface ObservedProcess {
  readonly name: string;
  readonly group: string;
  readonly entry: ProcessEntry;
  readonly state: ProcessState;
  readonly pid: number | null;
  /** Starts after the first. */
  readonly restarts: number;
  /** Milliseconds since 1970 of the last start. */
  readonly startedAtMs: number | null;
  /** How it ended last; `null` while it never did. */
  readonly exit: ProcessExit | null;
  /** What the process said about itself when it became ready. */
  readonly ready: Readonly<Record<string, string>> | null;
}

/**
 * The processes of this machine that serve and train, held by the supervisor so that they outlive the control plane.
 * Not responsible for what they do, nor for remembering them over its own end: its members end with it.
 */
export interface ProcessFamily {
  /**
   * Makes the group hold exactly these members: starts what is missing, ends what is no longer listed.
   * Returns when the starts are under way; ends go on in the background and stay observable as `stopping`.
   */
  apply(group: string, members: readonly ProcessMember[]): Promise<void>;
  /** The group's members as they are now, those that are still ending too. */
  observe(group: string): Promise<readonly ObservedProcess[]>;
  /** Tells of every change of a member's state, until the returned function is called. */
  onChange(listener: (process: ObservedProcess) => void): () => void;
  /** Asks a member to end (`terminate`: SIGTERM, then SIGKILL after its grace) or ends it at once; unknown names are ignored. */
  signal(name: string, how: "terminate" | "kill"): Promise<void>;
}
