import { LearnError } from "../../errors.ts";
import type { Random } from "../../random.ts";

/** A batch whose samples may be mixed: arrays of `samples` rows each. */
export interface MixableBatch {
  readonly samples: number;
  readonly inputs: readonly Float32Array[];
  readonly targets: readonly (Float32Array | Int32Array)[];
}

/** Changes a whole batch in place, as its generator says. */
export interface BatchAugmentation {
  readonly name: string;
  readonly applyToBatch: (batch: MixableBatch, random: Random) => void;
}

/** A gamma variate of a shape (Marsaglia and Tsang 2000; below 1 by one of shape + 1). */
const gamma = (shape: number, random: Random): number => {
  if (shape < 1) return gamma(shape + 1, random) * (1 - random.uniform()) ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = random.normal();
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - random.uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
};

const beta = (alpha: number, random: Random): number => {
  const [a, b] = [gamma(alpha, random), gamma(alpha, random)];
  return a + b === 0 ? 0.5 : a / (a + b);
};

const mixRows = (values: Float32Array, partners: Uint32Array, shares: readonly number[]): void => {
  const source = values.slice();
  const width = values.length / partners.length;
  for (const [row, share] of shares.entries()) {
    const other = (partners[row] as number) * width;
    for (let k = 0; k < width; k++) {
      const at = row * width + k;
      values[at] = (source[at] as number) * share + (source[other + k] as number) * (1 - share);
    }
  }
};

/**
 * Mixes every sample with another one of its batch, and their targets alike, in a share drawn from Beta(α, α)
 * (Zhang et al. 2018). @param options `alpha`: 0.2 by default, as in Keras.
 * @throws LearnError `invalid-input` for targets that are class numbers, which cannot be mixed.
 */
export const mixUp = ({ alpha = 0.2 }: { readonly alpha?: number } = {}): BatchAugmentation => ({
  name: "mix_up",
  applyToBatch: ({ samples, inputs, targets }, random) => {
    const partners = random.permutation(samples);
    const shares = Array.from({ length: samples }, () => beta(alpha, random));
    for (const values of inputs) mixRows(values, partners, shares);
    for (const values of targets) {
      if (values instanceof Int32Array) {
        throw new LearnError(
          "invalid-input",
          "mix_up mixes targets, but these are class numbers. Give one-hot rows and the loss categorical_crossentropy.",
        );
      }
      mixRows(values, partners, shares);
    }
  },
});
