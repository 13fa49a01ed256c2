/** How long to wait between starts of a process that keeps ending. */
export interface BackoffPolicy {
  /** Pause after the first crash; doubled after each further one. */
  readonly firstMs: number;
  /** Longest pause. */
  readonly longestMs: number;
  /** A process that was ready for this long has proved itself: its next crash counts as the first. */
  readonly provenMs: number;
}

/** Pauses that keep a crash loop cheap and a single crash short. */
export const defaultBackoff: BackoffPolicy = { firstMs: 50, longestMs: 10_000, provenMs: 500 };

/**
 * Pause before the next start: exponential, with half of it random, so that siblings do not start in step.
 * @param crashes Crashes in a row, from 1.
 * @param random A number in [0, 1).
 */
export const pauseMs = (policy: BackoffPolicy, crashes: number, random: number): number => {
  const full = Math.min(policy.longestMs, policy.firstMs * 2 ** Math.min(crashes - 1, 30));
  return full / 2 + (full / 2) * random;
};
