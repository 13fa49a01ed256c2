import { type Pixels, resizeNearest, resizePixels } from "./resize-pixels.ts";
import type { ImageStep } from "./step.ts";

interface Box {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

const cut = ({ data, width, channels }: Pixels, box: Box): Pixels => {
  const out = new Uint8Array(box.height * box.width * channels);
  const rowLength = box.width * channels;
  for (let y = 0; y < box.height; y++) {
    const from = ((box.top + y) * width + box.left) * channels;
    out.set(data.subarray(from, from + rowLength), y * rowLength);
  }
  return { data: out, height: box.height, width: box.width, channels };
};

const middle = (pixels: Pixels, height: number, width: number): Pixels =>
  cut(pixels, {
    top: Math.floor((pixels.height - height) / 2),
    left: Math.floor((pixels.width - width) / 2),
    height,
    width,
  });

const resize = (
  pixels: Pixels,
  { height, width, interpolation }: Omit<Extract<ImageStep, { step: "resize" }>, "step">,
): Pixels => {
  if (pixels.height === height && pixels.width === width) return pixels;
  const bring = interpolation === "nearest" ? resizeNearest : resizePixels;
  return { data: bring(pixels, { height, width }), height, width, channels: pixels.channels };
};

/** An image that is too small is cut to the target's proportions and enlarged, as Keras' `smart_resize` does. */
const crop = (pixels: Pixels, { height, width }: { readonly height: number; readonly width: number }): Pixels => {
  if (pixels.height >= height && pixels.width >= width) return middle(pixels, height, width);
  const fittingHeight = Math.max(1, Math.min(pixels.height, Math.floor((pixels.width * height) / width)));
  const fittingWidth = Math.max(1, Math.min(pixels.width, Math.floor((pixels.height * width) / height)));
  return resize(middle(pixels, fittingHeight, fittingWidth), { height, width, interpolation: "bilinear" });
};

/** Luma weights of ITU-R BT.601, as TensorFlow rounds them. */
const [red, green, blue] = [0.2989, 0.587, 0.114];

const grayscale = ({ data, height, width, channels }: Pixels): Pixels => {
  if (channels === 1) return { data, height, width, channels };
  const out = new Uint8Array(height * width);
  for (let i = 0; i < out.length; i++) {
    const at = i * channels;
    const luma = red * (data[at] as number) + green * (data[at + 1] as number) + blue * (data[at + 2] as number);
    out[i] = Math.round(luma);
  }
  return { data: out, height, width, channels: 1 };
};

/** Applies the steps to one image, in order. Whole pixel values go from step to step. */
export const applyImageSteps = (pixels: Pixels, steps: readonly ImageStep[]): Pixels =>
  steps.reduce((image, step) => {
    switch (step.step) {
      case "resize":
        return resize(image, step);
      case "crop":
        return crop(image, step);
      case "grayscale":
        return grayscale(image);
    }
  }, pixels);

/** Size of an image; `null` where it differs from image to image. */
export interface ImageSize {
  readonly height: number | null;
  readonly width: number | null;
  readonly channels: number;
}

/** Size after the steps. */
export const sizeAfter = ({ height, width, channels }: ImageSize, steps: readonly ImageStep[]): ImageSize => {
  const sizing = steps.findLast((step) => step.step !== "grayscale");
  return {
    height: sizing?.height ?? height,
    width: sizing?.width ?? width,
    channels: steps.some(({ step }) => step === "grayscale") ? 1 : channels,
  };
};
