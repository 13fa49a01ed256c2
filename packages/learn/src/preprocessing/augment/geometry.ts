import { type Augmentation, drawFrom, type Range } from "./augmentation.ts";
import { aroundMiddle, type FillOptions, imageSize, type Mapping, warp } from "./warp.ts";

const geometric = (
  name: string,
  options: FillOptions,
  draw: (uniform: { readonly from: (range: Range) => number }, size: readonly [number, number, number]) => Mapping,
): Augmentation => ({
  name,
  apply: (sample, shape, random) => {
    const size = imageSize(shape, name);
    const mapping = draw({ from: (range) => drawFrom(range, random) }, size);
    warp(sample, size, { ...options, mapping });
  },
});

/** Mirrors images left to right, upside down, or both, each with probability ½. */
export const randomFlip = (
  options: { readonly horizontal?: boolean; readonly vertical?: boolean } = {},
): Augmentation => {
  const { horizontal = true, vertical = false } = options;
  return {
    name: "random_flip",
    apply: (sample, shape, random) => {
      const [height, width, channels] = imageSize(shape, "random_flip");
      const mirrored = horizontal && random.uniform() < 0.5;
      const turned = vertical && random.uniform() < 0.5;
      if (!mirrored && !turned) return;
      const source = sample.slice();
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const from = (turned ? height - 1 - y : y) * width + (mirrored ? width - 1 - x : x);
          sample.set(source.subarray(from * channels, (from + 1) * channels), (y * width + x) * channels);
        }
      }
    },
  };
};

/** Turns images about their middle. @param options `factor`: part of a full turn, positive counter-clockwise. */
export const randomRotation = (options: FillOptions & { readonly factor: Range }): Augmentation =>
  geometric("random_rotation", options, ({ from }, size) => {
    const angle = 2 * Math.PI * from(options.factor);
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    return aroundMiddle([cos, sin, -sin, cos], size);
  });

/**
 * Zooms images about their middle, height and width alike unless `widthFactor` is given.
 * @param options `factor`: share by which what is seen grows; positive zooms out, negative in, as in Keras.
 */
export const randomZoom = (
  options: FillOptions & { readonly factor: Range; readonly widthFactor?: Range },
): Augmentation =>
  geometric("random_zoom", options, ({ from }, size) => {
    const height = 1 + from(options.factor);
    const width = options.widthFactor === undefined ? height : 1 + from(options.widthFactor);
    return aroundMiddle([height, 0, 0, width], size);
  });

/** Moves images. @param options `height` and `width`: share of the image's length; positive down and right. */
export const randomTranslation = (
  options: FillOptions & { readonly height: Range; readonly width: Range },
): Augmentation =>
  geometric("random_translation", options, ({ from }, [height, width]) => {
    const [down, right] = [from(options.height) * height, from(options.width) * width];
    return [1, 0, -down, 0, 1, -right];
  });

/**
 * Cuts a window of the image's own size out of the image with a border of `padding` pixels around it: the usual crop for
 * small images. The border is 0 by default.
 */
export const randomCrop = (options: FillOptions & { readonly padding: number }): Augmentation => ({
  name: "random_crop",
  apply: (sample, shape, random) => {
    const size = imageSize(shape, "random_crop");
    const offset = (): number => random.integerBelow(2 * options.padding + 1) - options.padding;
    warp(sample, size, { fillMode: "constant", ...options, mapping: [1, 0, offset(), 0, 1, offset()] });
  },
});
