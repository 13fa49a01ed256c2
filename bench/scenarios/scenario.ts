/** What a scenario may use of its surroundings. */
export interface BenchIo {
  /** Tells a person how it goes. */
  readonly log: (line: string) => void;
  /** Folder for what is built once and kept, such as the peers' environments; git ignores it. */
  readonly cache: string;
}

/** A figure that is measured against a bound or against a peer. */
export interface Ratio {
  readonly value: number;
  /** The ratio holds when it is at least this. */
  readonly atLeast: number;
}

/** What a scenario measured. */
export interface Measurement {
  readonly figures: Readonly<Record<string, unknown>>;
  /** By name; every one either holds or fails. */
  readonly ratios: Readonly<Record<string, Ratio>>;
}

/** One thing that is measured, in `scenarios/<name>.ts`. */
export interface Scenario {
  readonly name: string;
  readonly summary: string;
  run(io: BenchIo): Promise<Measurement>;
}

/** The middle value. */
export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
};

/** The arithmetic mean. */
export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Median and range of repeated runs. */
export const spread = (values: readonly number[]): Readonly<Record<"median" | "min" | "max", number>> => ({
  median: median(values),
  min: Math.min(...values),
  max: Math.max(...values),
});
