import { LearnError } from "../../errors.ts";

/** What stands outside of an image: its border mirrored, its border repeated, its other side, or a value. */
export type FillMode = "reflect" | "nearest" | "wrap" | "constant";

/** Options of transformations that look outside of an image. */
export interface FillOptions {
  /** `reflect` by default, as in Keras. */
  readonly fillMode?: FillMode;
  /** Value of what stands outside under `constant`; 0 by default. */
  readonly fillValue?: number;
}

/** Where a pixel comes from: row = a·y + b·x + c, column = d·y + e·x + f. */
export type Mapping = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

/** Height, width and channels. @throws LearnError `shape-mismatch` for what is no image. */
export const imageSize = (shape: readonly number[], name: string): readonly [number, number, number] => {
  const [height, width, channels] = shape;
  if (shape.length === 3 && height !== undefined && width !== undefined && channels !== undefined) {
    return [height, width, channels];
  }
  throw new LearnError(
    "shape-mismatch",
    `${name} changes images [height, width, channels], but the samples have shape [${shape.join(", ")}].`,
  );
};

const remainder = (value: number, length: number): number => ((value % length) + length) % length;

/** The place inside 0…length−1 that stands for one outside; −1 for none. */
const inside = (index: number, length: number, mode: FillMode): number => {
  if (index >= 0 && index < length) return index;
  switch (mode) {
    case "constant":
      return -1;
    case "nearest":
      return index < 0 ? 0 : length - 1;
    case "wrap":
      return remainder(index, length);
    case "reflect": {
      // d c b a | a b c d | d c b a
      const place = remainder(index, 2 * length);
      return place < length ? place : 2 * length - 1 - place;
    }
  }
};

/** Moves the pixels of an image [height, width, channels] in place, mixing the four around each source (bilinear). */
export const warp = (
  image: Float32Array,
  size: readonly [number, number, number],
  { mapping, fillMode = "reflect", fillValue = 0 }: FillOptions & { readonly mapping: Mapping },
): void => {
  const [height, width, channels] = size;
  const source = image.slice();
  const [a, b, c, d, e, f] = mapping;
  const valueAt = (row: number, column: number, channel: number): number => {
    const [y, x] = [inside(row, height, fillMode), inside(column, width, fillMode)];
    return y < 0 || x < 0 ? fillValue : (source[(y * width + x) * channels + channel] as number);
  };
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [row, column] = [a * y + b * x + c, d * y + e * x + f];
      const [top, left] = [Math.floor(row), Math.floor(column)];
      const [down, right] = [row - top, column - left];
      for (let channel = 0; channel < channels; channel++) {
        const upper = valueAt(top, left, channel) * (1 - right) + valueAt(top, left + 1, channel) * right;
        const lower = valueAt(top + 1, left, channel) * (1 - right) + valueAt(top + 1, left + 1, channel) * right;
        image[(y * width + x) * channels + channel] = upper * (1 - down) + lower * down;
      }
    }
  }
};

/** A mapping that leaves the image's middle where it is. */
export const aroundMiddle = (
  [a, b, d, e]: readonly [number, number, number, number],
  [height, width]: readonly number[],
): Mapping => {
  const [y, x] = [((height ?? 1) - 1) / 2, ((width ?? 1) - 1) / 2];
  return [a, b, y - a * y - b * x, d, e, x - d * y - e * x];
};
