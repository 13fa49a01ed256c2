import { LearnError } from "../../errors.ts";
import type { Random } from "../../random.ts";
import type { Augmentation } from "./augmentation.ts";

/** Options of {@link specAugment}. */
export interface SpecAugmentOptions {
  /** Stretches of frames to blank; 2 by default. */
  readonly timeMasks?: number;
  /** Longest stretch, in frames; 40 by default. */
  readonly timeWidth?: number;
  /** Largest share of all frames that one stretch takes; 1 by default. */
  readonly timeShare?: number;
  /** Groups of bands to blank; 2 by default. */
  readonly frequencyMasks?: number;
  /** Widest group, in bands; 27 by default. */
  readonly frequencyWidth?: number;
  /** What blanked places hold; 0 by default, which is the mean of a normalised spectrogram. */
  readonly value?: number;
}

/** First and last place of a stretch of random length at a random place. */
const stretch = (length: number, widest: number, random: Random): readonly [number, number] => {
  const width = random.integerBelow(Math.min(Math.floor(widest), length) + 1);
  const first = random.integerBelow(length - width + 1);
  return [first, first + width];
};

/**
 * Blanks stretches of time and groups of bands of a spectrogram [frames, bands] or [frames, bands, channels]:
 * SpecAugment without time warping (Park et al. 2019, policy LD by default).
 */
export const specAugment = (options: SpecAugmentOptions = {}): Augmentation => {
  const { timeMasks = 2, timeWidth = 40, timeShare = 1, frequencyMasks = 2, frequencyWidth = 27, value = 0 } = options;
  return {
    name: "spec_augment",
    apply: (sample, shape, random) => {
      const [frames = 0, bands = 0] = shape;
      if (shape.length < 2 || shape.length > 3) {
        throw new LearnError(
          "shape-mismatch",
          `spec_augment changes spectrograms [frames, bands], but the samples have shape [${shape.join(", ")}].`,
        );
      }
      const row = sample.length / frames;
      const cell = row / bands;
      for (let i = 0; i < timeMasks; i++) {
        const [first, end] = stretch(frames, Math.min(timeWidth, timeShare * frames), random);
        sample.fill(value, first * row, end * row);
      }
      for (let i = 0; i < frequencyMasks; i++) {
        const [first, end] = stretch(bands, frequencyWidth, random);
        for (let frame = 0; frame < frames; frame++) {
          sample.fill(value, frame * row + first * cell, frame * row + end * cell);
        }
      }
    },
  };
};
