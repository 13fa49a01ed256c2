import type { LayerOptions } from "../builders.ts";
import { layer } from "../definition.ts";
import type { LayerCall } from "../definition.ts";

/** Options of {@link dot}. */
export interface DotOptions extends LayerOptions {
  /** Axis of both inputs, or one each, along which is multiplied and added; the batch is 0. */
  readonly axes: number | readonly [number, number];
  /** Gives both inputs length 1 along the axes first, for cosines; false by default. */
  readonly normalize?: boolean;
}

/** The sum of several inputs. */
export const add = (options: LayerOptions = {}): LayerCall => layer("Add", options);
/** The first of two inputs without the second. */
export const subtract = (options: LayerOptions = {}): LayerCall => layer("Subtract", options);
/** The product of several inputs, element by element. */
export const multiply = (options: LayerOptions = {}): LayerCall => layer("Multiply", options);
/** The mean of several inputs. */
export const average = (options: LayerOptions = {}): LayerCall => layer("Average", options);
/** The larger of several inputs, element by element. */
export const maximum = (options: LayerOptions = {}): LayerCall => layer("Maximum", options);
/** The smaller of several inputs, element by element. */
export const minimum = (options: LayerOptions = {}): LayerCall => layer("Minimum", options);
/** Several inputs side by side along an axis, −1 by default; the batch is 0. */
export const concatenate = (options: LayerOptions & { readonly axis?: number } = {}): LayerCall =>
  layer("Concatenate", options);
/** Scalar products of two inputs. */
export const dot = (options: DotOptions): LayerCall => layer("Dot", options);
