/** Pixels of an image, row by row, channels last, 0–255. */
export interface Pixels {
  readonly data: Uint8Array;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** For every target position: the two source positions that it lies between, and how near it is to the second. */
const taps = (
  from: number,
  to: number,
): { readonly low: Int32Array; readonly high: Int32Array; readonly share: Float64Array } => {
  const low = new Int32Array(to);
  const high = new Int32Array(to);
  const share = new Float64Array(to);
  for (let i = 0; i < to; i++) {
    const position = Math.min(from - 1, Math.max(0, ((i + 0.5) * from) / to - 0.5));
    low[i] = Math.floor(position);
    high[i] = Math.min(from - 1, Math.floor(position) + 1);
    share[i] = position - Math.floor(position);
  }
  return { low, high, share };
};

/** Nearest source position of every target position, by half-pixel centres. */
const nearest = (from: number, to: number): Int32Array =>
  Int32Array.from({ length: to }, (_, i) => Math.min(from - 1, Math.floor(((i + 0.5) * from) / to)));

/**
 * Resizes an image by taking the nearest pixel, as `tf.image.resize` with `nearest` does.
 * @returns Pixels of the new size, channels last.
 */
export const resizeNearest = (
  { data, width, height, channels }: Pixels,
  size: { readonly height: number; readonly width: number },
): Uint8Array => {
  const resized = new Uint8Array(size.height * size.width * channels);
  const columns = nearest(width, size.width);
  let out = 0;
  for (const y of nearest(height, size.height)) {
    for (const x of columns) {
      const from = (y * width + x) * channels;
      for (let channel = 0; channel < channels; channel++) resized[out++] = data[from + channel] as number;
    }
  }
  return resized;
};

/**
 * Resizes an image bilinearly with half-pixel centres and without antialiasing, as `tf.image.resize` does (and so
 * Keras' `Resizing`), then rounds to whole pixel values.
 * @param pixels Image of any size.
 * @param size Height and width to bring it to.
 * @returns Pixels of the new size, channels last.
 */
export const resizePixels = (pixels: Pixels, size: { readonly height: number; readonly width: number }): Uint8Array => {
  const { data, channels } = pixels;
  const rows = taps(pixels.height, size.height);
  const columns = taps(pixels.width, size.width);
  const resized = new Uint8Array(size.height * size.width * channels);
  const stride = pixels.width * channels;
  let out = 0;
  for (let y = 0; y < size.height; y++) {
    const top = (rows.low[y] as number) * stride;
    const bottom = (rows.high[y] as number) * stride;
    const down = rows.share[y] as number;
    for (let x = 0; x < size.width; x++) {
      const left = (columns.low[x] as number) * channels;
      const right = (columns.high[x] as number) * channels;
      const across = columns.share[x] as number;
      for (let channel = 0; channel < channels; channel++) {
        const a = data[top + left + channel] as number;
        const b = data[top + right + channel] as number;
        const c = data[bottom + left + channel] as number;
        const d = data[bottom + right + channel] as number;
        const upper = a + (b - a) * across;
        const lower = c + (d - c) * across;
        resized[out++] = Math.round(upper + (lower - upper) * down);
      }
    }
  }
  return resized;
};
