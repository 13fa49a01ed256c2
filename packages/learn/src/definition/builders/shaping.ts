import type { Pair, Triple } from "../../layers/arguments.ts";
import type { LayerOptions } from "../builders.ts";
import { layer } from "../definition.ts";
import type { LayerCall } from "../definition.ts";

/** Amounts at both ends of an axis. */
export type Sides = readonly [number, number];

/** Options of {@link reshape}. */
export interface ReshapeOptions extends LayerOptions {
  /** Shape of a sample; one length may be −1. */
  readonly targetShape: readonly number[];
}

/** Options of {@link permute}. */
export interface PermuteOptions extends LayerOptions {
  /** The axes of a sample in their new order, counted from 1. */
  readonly dims: readonly number[];
}

/** Options of zero paddings: one amount for all sides, one each axis, or [before, after] each axis; 1 by default. */
export interface ZeroPaddingOptions<Amounts> extends LayerOptions {
  readonly padding?: Amounts;
}

/** Options of croppings: one amount for all sides, one each axis, or [before, after] each axis; 1 by default. */
export interface CroppingOptions<Amounts> extends LayerOptions {
  readonly cropping?: Amounts;
}

/** Options of upsamplings. */
export interface UpSamplingOptions<Size> extends LayerOptions {
  /** How often every element is repeated; 2 by default. */
  readonly size?: Size;
}

type Amounts2d = number | readonly [number | Sides, number | Sides];
type Amounts3d = number | readonly [number | Sides, number | Sides, number | Sides];

/** All elements of a sample in one row. */
export const flatten = (options: LayerOptions = {}): LayerCall => layer("Flatten", options);
/** The same elements in another shape. */
export const reshape = (options: ReshapeOptions): LayerCall => layer("Reshape", options);
/** The axes of a sample in another order. */
export const permute = (options: PermuteOptions): LayerCall => layer("Permute", options);
/** A row repeated: [features] → [n, features]. */
export const repeatVector = (options: LayerOptions & { readonly n: number }): LayerCall =>
  layer("RepeatVector", options);
/** Zeros around the steps of a sequence. */
export const zeroPadding1d = (options: ZeroPaddingOptions<number | Sides> = {}): LayerCall =>
  layer("ZeroPadding1D", options);
/** Zeros around an image. */
export const zeroPadding2d = (options: ZeroPaddingOptions<Amounts2d> = {}): LayerCall =>
  layer("ZeroPadding2D", options);
/** Zeros around a volume. */
export const zeroPadding3d = (options: ZeroPaddingOptions<Amounts3d> = {}): LayerCall =>
  layer("ZeroPadding3D", options);
/** A sequence without its ends. */
export const cropping1d = (options: CroppingOptions<number | Sides> = {}): LayerCall => layer("Cropping1D", options);
/** An image without its border. */
export const cropping2d = (options: CroppingOptions<Amounts2d> = {}): LayerCall => layer("Cropping2D", options);
/** A volume without its border. */
export const cropping3d = (options: CroppingOptions<Amounts3d> = {}): LayerCall => layer("Cropping3D", options);
/** A sequence with every step repeated. */
export const upSampling1d = (options: UpSamplingOptions<number> = {}): LayerCall => layer("UpSampling1D", options);
/** An image with every row and column repeated. */
export const upSampling2d = (options: UpSamplingOptions<Pair> = {}): LayerCall => layer("UpSampling2D", options);
/** A volume with every plane, row and column repeated. */
export const upSampling3d = (options: UpSamplingOptions<Triple> = {}): LayerCall => layer("UpSampling3D", options);
/** The input as it is, under another name. */
export const identity = (options: LayerOptions = {}): LayerCall => layer("Identity", options);
