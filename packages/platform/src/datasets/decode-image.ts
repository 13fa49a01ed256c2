import { resizePixels } from "@modelyard/learn";
import type { Sharp } from "sharp";
import { PlatformError } from "../foundation/index.ts";

/** Pixels of an image, row by row, channels last, 0–255. */
export interface DecodedImage {
  readonly data: Uint8Array;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** What a decoded image must be. */
export interface DecodeOptions {
  /** 1 for grey, 3 for RGB; without it whichever the file is. Transparency is dropped. */
  readonly channels?: number;
  /** Size to bring it to; without it the file's own. */
  readonly size?: { readonly height: number; readonly width: number };
  /** How to name the image in an error. */
  readonly name?: string;
}

/** Most pixels an image may have: bounds the memory that a small, hostile file can claim. */
const imagePixelsMax: number = 50_000_000;

/** Loaded with the first image: most processes never see one, and the library takes 20 MB. */
const loadSharp = async () => (await import("sharp")).default;

const undecodable = (name: string, reason: string, cause?: unknown): PlatformError =>
  new PlatformError(
    "image-undecodable",
    `${name} does not decode as an image: ${reason}. PNG, JPEG, WebP, GIF, TIFF and AVIF up to ` +
      `${imagePixelsMax / 1_000_000} megapixels are read; remove the file or save it anew.`,
    { cause },
  );

/** First line of a decoder's message without anything that looks like a path. */
const reasonOf = (error: unknown): string => {
  const message = error instanceof Error ? (error.message.split("\n")[0] ?? "") : "";
  return message === "" || /[/\\]/.test(message) ? "the data is damaged or of an unknown format" : message;
};

/**
 * Decodes an image file and brings it to a size. Training, evaluation and serving all come through here, so that
 * they see the same pixels. Pictures stand upright as their orientation tag says.
 * @throws PlatformError `image-undecodable` when the bytes are no image, are damaged, or hold too many pixels.
 */
export const decodeImage = async (bytes: Uint8Array, options: DecodeOptions = {}): Promise<DecodedImage> => {
  const name = options.name ?? "The image";
  if (bytes.byteLength === 0) throw undecodable(name, "it is empty");
  let decoded: DecodedImage;
  const sharp = await loadSharp();
  try {
    const image = sharp(bytes, { limitInputPixels: imagePixelsMax, failOn: "error" });
    const grey = options.channels === undefined ? await isGrey(image) : options.channels === 1;
    const { data, info } = await image
      .autoOrient()
      .removeAlpha()
      .toColourspace(grey ? "b-w" : "srgb")
      .raw({ depth: "uchar" })
      .toBuffer({ resolveWithObject: true });
    decoded = { data, height: info.height, width: info.width, channels: info.channels };
  } catch (error) {
    throw undecodable(name, reasonOf(error), error);
  }
  const { size } = options;
  if (size === undefined || (size.height === decoded.height && size.width === decoded.width)) return decoded;
  return { ...size, channels: decoded.channels, data: resizePixels(decoded, size) };
};

const isGrey = async (image: Sharp): Promise<boolean> => {
  const { space } = await image.metadata();
  return space === "b-w" || space === "grey16";
};

/** Encodes pixels as PNG, to look at. */
export const encodePng = async ({ data, height, width, channels }: DecodedImage): Promise<Buffer> => {
  const sharp = await loadSharp();
  return sharp(data, { raw: { width, height, channels: channels === 1 ? 1 : channels === 4 ? 4 : 3 } })
    .png()
    .toBuffer();
};
