import type { Random } from "../../random.ts";

/**
 * Changes one sample in place, as its generator says: equal samples and generators give equal results.
 * Shapes are those of one sample: images [height, width, channels], spectrograms [frames, bands].
 */
export interface Augmentation {
  readonly name: string;
  readonly apply: (sample: Float32Array, shape: readonly number[], random: Random) => void;
}

/** How large a change may be: one number f means −f to f, a pair its own bounds. */
export type Range = number | readonly [number, number];

/** A number drawn evenly from a range. */
export const drawFrom = (range: Range, random: Random): number => {
  const [low, high] = typeof range === "number" ? [-range, range] : range;
  return low + (high - low) * random.uniform();
};
