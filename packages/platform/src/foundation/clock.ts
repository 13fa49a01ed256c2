/** Source of time, so that tests decide what time it is. */
export interface Clock {
  /** Wall clock, milliseconds since 1970. */
  nowMs(): number;
  /** Clock that never jumps, for durations and leases; milliseconds since an arbitrary origin. */
  monotonicMs(): number;
}

/** The machine's clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};

/** ISO 8601 in UTC of a moment. */
export const timestamp = (ms: number): string => new Date(ms).toISOString();
