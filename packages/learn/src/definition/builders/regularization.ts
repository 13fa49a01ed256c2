import type { LayerOptions } from "../builders.ts";
import { layer } from "../definition.ts";
import type { LayerCall } from "../definition.ts";

/** Options of layers that drop a share of their input. */
export interface RateOptions extends LayerOptions {
  /** Share dropped in training, 0 ≤ rate < 1. */
  readonly rate: number;
}

/** Options of {@link dropout}. */
export interface DropoutOptions extends RateOptions {
  /** Shape of the mask, the batch first; null takes the input's length, 1 drops whole slices. */
  readonly noiseShape?: readonly (number | null)[];
}

/** Zeroes a share of the elements in training. */
export const dropout = (options: DropoutOptions): LayerCall => layer("Dropout", options);
/** Zeroes a share of the channels of sequences in training. */
export const spatialDropout1d = (options: RateOptions): LayerCall => layer("SpatialDropout1D", options);
/** Zeroes a share of the channels of images in training. */
export const spatialDropout2d = (options: RateOptions): LayerCall => layer("SpatialDropout2D", options);
/** Zeroes a share of the channels of volumes in training. */
export const spatialDropout3d = (options: RateOptions): LayerCall => layer("SpatialDropout3D", options);
/** Multiplies by normal noise around 1 in training. */
export const gaussianDropout = (options: RateOptions): LayerCall => layer("GaussianDropout", options);
/** Dropout that keeps mean and variance of self-normalising networks. */
export const alphaDropout = (options: RateOptions): LayerCall => layer("AlphaDropout", options);
/** Adds normal noise in training. */
export const gaussianNoise = (options: LayerOptions & { readonly stddev: number }): LayerCall =>
  layer("GaussianNoise", options);
