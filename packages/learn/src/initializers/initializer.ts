import { LearnError } from "../errors.ts";
import type { Random } from "../random.ts";

type Mode = "fan_in" | "fan_out" | "fan_avg";
type Distribution = "uniform" | "normal" | "truncated_normal";

/** An initializer with its arguments, as in Keras. */
export type InitializerConfig =
  | { readonly name: "zeros" }
  | { readonly name: "ones" }
  | { readonly name: "constant"; readonly value: number }
  | { readonly name: "random_uniform"; readonly minimum?: number; readonly maximum?: number }
  | { readonly name: "random_normal"; readonly mean?: number; readonly standardDeviation?: number }
  | { readonly name: "truncated_normal"; readonly mean?: number; readonly standardDeviation?: number }
  | { readonly name: "orthogonal"; readonly gain?: number }
  | { readonly name: "identity"; readonly gain?: number }
  /** Equal parts of the last axis, each with an initializer of its own. */
  | { readonly name: "segments"; readonly parts: readonly Initializer[] }
  | {
      readonly name: "variance_scaling";
      readonly scale?: number;
      readonly mode?: Mode;
      readonly distribution?: Distribution;
    };

/** Names of initializers that need no arguments. */
export const initializerNames = [
  "zeros",
  "ones",
  "random_uniform",
  "random_normal",
  "truncated_normal",
  "orthogonal",
  "identity",
  "variance_scaling",
  "glorot_uniform",
  "glorot_normal",
  "he_uniform",
  "he_normal",
  "lecun_uniform",
  "lecun_normal",
] as const;

/** An initializer by name, or by name with arguments. */
export type Initializer = (typeof initializerNames)[number] | InitializerConfig;

/** Numbers of inputs and outputs that one weight meets. */
export interface Fans {
  readonly fanIn: number;
  readonly fanOut: number;
}

/**
 * Fans of a weight by Keras' rule: a vector counts for both; a matrix is [in, out]; for convolution kernels
 * [...window, in, out] both are multiplied by the window's size.
 * Source: keras/src/initializers/random_initializers.py, `compute_fans`.
 */
const fansOf = (shape: readonly number[]): Fans => {
  if (shape.length === 0) return { fanIn: 1, fanOut: 1 };
  const last = shape.at(-1) ?? 1;
  if (shape.length === 1) return { fanIn: last, fanOut: last };
  const window = shape.slice(0, -2).reduce((product, length) => product * length, 1);
  return { fanIn: (shape.at(-2) ?? 1) * window, fanOut: last * window };
};

const scaled = (scale: number, mode: Mode, distribution: Distribution): InitializerConfig => ({
  name: "variance_scaling",
  scale,
  mode,
  distribution,
});

const named: Readonly<Record<string, InitializerConfig>> = {
  glorot_uniform: scaled(1, "fan_avg", "uniform"),
  glorot_normal: scaled(1, "fan_avg", "truncated_normal"),
  he_uniform: scaled(2, "fan_in", "uniform"),
  he_normal: scaled(2, "fan_in", "truncated_normal"),
  lecun_uniform: scaled(1, "fan_in", "uniform"),
  lecun_normal: scaled(1, "fan_in", "truncated_normal"),
};

/** Standard deviation of a standard normal truncated to [−2, 2]. */
const truncatedDeviation = 0.879_625_661_034_239_8;

const truncatedNormal = (random: Random): number => {
  let value = random.normal();
  while (Math.abs(value) > 2) value = random.normal();
  return value;
};

const fill = (target: Float32Array, next: () => number): void => {
  for (let i = 0; i < target.length; i++) target[i] = next();
};

const varianceScaling = (
  target: Float32Array,
  shape: readonly number[],
  options: { readonly config: Extract<InitializerConfig, { name: "variance_scaling" }>; readonly random: Random },
): void => {
  const { config, random } = options;
  const { fanIn, fanOut } = fansOf(shape);
  const mode = config.mode ?? "fan_in";
  const fan = mode === "fan_in" ? fanIn : mode === "fan_out" ? fanOut : (fanIn + fanOut) / 2;
  const variance = (config.scale ?? 1) / Math.max(1, fan);
  switch (config.distribution ?? "truncated_normal") {
    case "uniform": {
      const limit = Math.sqrt(3 * variance);
      fill(target, () => (2 * random.uniform() - 1) * limit);
      return;
    }
    case "normal":
      fill(target, () => random.normal() * Math.sqrt(variance));
      return;
    case "truncated_normal": {
      const deviation = Math.sqrt(variance) / truncatedDeviation;
      fill(target, () => truncatedNormal(random) * deviation);
    }
  }
};

/** Orthonormalises the rows of a matrix in place (modified Gram–Schmidt, twice for accuracy). */
const orthonormaliseRows = (matrix: Float64Array, rows: number, columns: number): void => {
  for (let i = 0; i < rows; i++) {
    const row = matrix.subarray(i * columns, (i + 1) * columns);
    for (let pass = 0; pass < 2; pass++) {
      for (let j = 0; j < i; j++) {
        const other = matrix.subarray(j * columns, (j + 1) * columns);
        let dot = 0;
        for (let k = 0; k < columns; k++) dot += (row[k] as number) * (other[k] as number);
        for (let k = 0; k < columns; k++) row[k] = (row[k] as number) - dot * (other[k] as number);
      }
    }
    const norm = Math.hypot(...row);
    for (let k = 0; k < columns; k++) row[k] = (row[k] as number) / norm;
  }
};

const orthogonal = (
  target: Float32Array,
  shape: readonly number[],
  options: { readonly gain: number; readonly random: Random },
): void => {
  if (shape.length < 2) {
    throw new LearnError(
      "layer-invalid",
      `The orthogonal initializer needs a weight with at least 2 dimensions, but the shape is [${shape.join(", ")}]. Use another initializer there.`,
    );
  }
  const columns = shape.at(-1) ?? 1;
  const rows = target.length / columns;
  const [small, large] = rows < columns ? [rows, columns] : [columns, rows];
  const matrix = new Float64Array(small * large);
  for (let i = 0; i < matrix.length; i++) matrix[i] = options.random.normal();
  orthonormaliseRows(matrix, small, large);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const index = rows < columns ? i * large + j : j * large + i;
      target[i * columns + j] = options.gain * (matrix[index] as number);
    }
  }
};

const identity = (target: Float32Array, shape: readonly number[], gain: number): void => {
  if (shape.length !== 2) {
    throw new LearnError(
      "layer-invalid",
      `The identity initializer needs a matrix, but the shape is [${shape.join(", ")}]. Use another initializer there.`,
    );
  }
  const columns = shape[1] ?? 1;
  for (let i = 0; i < target.length; i++) target[i] = Math.floor(i / columns) === i % columns ? gain : 0;
};

const segments = (
  target: Float32Array,
  shape: readonly number[],
  options: { readonly parts: readonly Initializer[]; readonly random: Random },
): void => {
  const { parts, random } = options;
  const width = shape.at(-1) ?? 1;
  const length = width / parts.length;
  for (const [part, initializer] of parts.entries()) {
    const values = new Float32Array(target.length / parts.length);
    initialize(values, shape.with(-1, length), { initializer, random });
    for (const [at, value] of values.entries()) {
      target[Math.floor(at / length) * width + part * length + (at % length)] = value;
    }
  }
};

/** Resolves an initializer to its configuration. */
const resolveInitializer = (initializer: Initializer): InitializerConfig =>
  typeof initializer === "string" ? (named[initializer] ?? ({ name: initializer } as InitializerConfig)) : initializer;

/**
 * Fills a weight.
 * @param target Row-major values of `shape`.
 * @param shape Keras layout of the weight: [in, out] for dense, [height, width, in, out] for convolutions.
 */
export const initialize = (
  target: Float32Array,
  shape: readonly number[],
  options: { readonly initializer: Initializer; readonly random: Random },
): void => {
  const { random } = options;
  const config = resolveInitializer(options.initializer);
  switch (config.name) {
    case "zeros":
      target.fill(0);
      return;
    case "ones":
      target.fill(1);
      return;
    case "constant":
      target.fill(config.value);
      return;
    case "random_uniform": {
      const low = config.minimum ?? -0.05;
      const high = config.maximum ?? 0.05;
      fill(target, () => low + (high - low) * random.uniform());
      return;
    }
    case "random_normal":
      fill(target, () => (config.mean ?? 0) + (config.standardDeviation ?? 0.05) * random.normal());
      return;
    case "truncated_normal":
      fill(target, () => (config.mean ?? 0) + (config.standardDeviation ?? 0.05) * truncatedNormal(random));
      return;
    case "orthogonal":
      orthogonal(target, shape, { gain: config.gain ?? 1, random });
      return;
    case "segments":
      segments(target, shape, { parts: config.parts, random });
      return;
    case "identity":
      identity(target, shape, config.gain ?? 1);
      return;
    case "variance_scaling":
      varianceScaling(target, shape, { config, random });
  }
};
