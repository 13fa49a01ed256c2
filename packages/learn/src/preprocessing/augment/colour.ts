import { type Augmentation, drawFrom, type Range } from "./augmentation.ts";
import { imageSize } from "./warp.ts";

/** Options of changes to the values of pixels. */
export interface ColourOptions {
  /** How large the change may be. */
  readonly factor: Range;
  /** Smallest and largest value of a pixel; 0 and 255 by default, as in Keras. */
  readonly valueRange?: readonly [number, number];
}

const clamp = (value: number, [low, high]: readonly [number, number]): number => Math.min(Math.max(value, low), high);

/** Adds one number to all pixels: a share of the values' range. */
export const randomBrightness = ({ factor, valueRange = [0, 255] }: ColourOptions): Augmentation => ({
  name: "random_brightness",
  apply: (sample, _, random) => {
    const added = drawFrom(factor, random) * (valueRange[1] - valueRange[0]);
    for (let i = 0; i < sample.length; i++) sample[i] = clamp((sample[i] as number) + added, valueRange);
  },
});

/** Multiplies each channel's distance from its mean by 1 + a number. */
export const randomContrast = ({ factor, valueRange = [0, 255] }: ColourOptions): Augmentation => ({
  name: "random_contrast",
  apply: (sample, shape, random) => {
    const [height, width, channels] = imageSize(shape, "random_contrast");
    const scale = 1 + drawFrom(factor, random);
    for (let channel = 0; channel < channels; channel++) {
      let mean = 0;
      for (let i = channel; i < sample.length; i += channels) mean += (sample[i] as number) / (height * width);
      for (let i = channel; i < sample.length; i += channels) {
        sample[i] = clamp(((sample[i] as number) - mean) * scale + mean, valueRange);
      }
    }
  },
});
