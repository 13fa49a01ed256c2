import { readdirSync } from "node:fs";

/** What a scenario may use of its surroundings. */
export interface FaultIo {
  /** Rounds to run: the scenario's own count for CI or for a full run, or what the caller asked for. */
  readonly count: number;
  /** Random numbers in [0, 1) that a seed decides, so that a failure can be repeated. */
  readonly random: () => number;
  /** Tells a person how it goes. */
  readonly log: (line: string) => void;
}

/** A figure with the bound it must keep. */
export interface Check {
  readonly value: number;
  readonly atLeast?: number;
  readonly atMost?: number;
}

/** What a scenario found. */
export interface FaultResult {
  /** By name; every one either holds or fails. */
  readonly checks: Readonly<Record<string, Check>>;
  readonly figures: Readonly<Record<string, unknown>>;
}

/** One fault that the platform must survive; a module `<id>-<name>.ts` exports it as `scenario`. */
export interface FaultScenario {
  /** Number of the fault in the catalogue of faults, e.g. `F4`. */
  readonly id: string;
  /** Kebab-case; with the id the module's file name. */
  readonly name: string;
  readonly summary: string;
  /** Rounds: few for every change, many on demand. */
  readonly counts: { readonly ci: number; readonly full: number };
  run(io: FaultIo): Promise<FaultResult>;
}

/** Whether a figure keeps its bounds; what is not a number keeps none. */
export const holds = ({ value, atLeast, atMost }: Check): boolean =>
  !Number.isNaN(value) && (atLeast === undefined || value >= atLeast) && (atMost === undefined || value <= atMost);

/** A check that a count is exactly this. */
export const exactly = (value: number, wanted: number): Check => ({ value, atLeast: wanted, atMost: wanted });

/** Random numbers in [0, 1) from a seed (mulberry32). */
export const seededRandom = (seed: number): (() => number) => {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

/** Value below which a share of the values lies (nearest rank); NaN of none. */
export const percentile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(values.length * share) - 1)] ?? Number.NaN;

/** Every scenario of this folder, by the order of their faults' numbers. */
export const loadScenarios = async (): Promise<readonly FaultScenario[]> => {
  const files = readdirSync(new URL(".", import.meta.url)).filter((name) => /^f\d+-[a-z0-9-]+\.ts$/.test(name));
  const modules = await Promise.all(files.map((file) => import(new URL(file, import.meta.url).href)));
  const scenarios = (modules as { readonly scenario: FaultScenario }[]).map(({ scenario }) => scenario);
  return scenarios.toSorted((a, b) => Number(a.id.slice(1)) - Number(b.id.slice(1)));
};
