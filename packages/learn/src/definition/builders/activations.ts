import type { Initializer } from "../../initializers/index.ts";
import type { Activation } from "../../layers/activation-config.ts";
import type { LayerOptions } from "../builders.ts";
import { layer } from "../definition.ts";
import type { LayerCall } from "../definition.ts";

/** Options of {@link relu}. */
export interface ReluOptions extends LayerOptions {
  /** Larger values become it; none by default. */
  readonly maxValue?: number;
  /** Slope below the threshold; 0 by default. */
  readonly negativeSlope?: number;
  /** Values at or below it are rectified; 0 by default. */
  readonly threshold?: number;
}

/** Options of {@link prelu}. */
export interface PreluOptions extends LayerOptions {
  /** Initial slopes; zeros by default. */
  readonly alphaInitializer?: Initializer;
  /** Axes along which one slope is shared, counted from 1; none by default. */
  readonly sharedAxes?: readonly number[];
}

/** An activation as a layer. */
export const activation = (options: LayerOptions & { readonly activation: Activation }): LayerCall =>
  layer("Activation", options);
/** Rectifies. */
export const relu = (options: ReluOptions = {}): LayerCall => layer("ReLU", options);
/** Rectifies with a slope below zero, 0.3 by default. */
export const leakyRelu = (options: LayerOptions & { readonly negativeSlope?: number } = {}): LayerCall =>
  layer("LeakyReLU", options);
/** The exponential linear unit; α is 1 by default. */
export const elu = (options: LayerOptions & { readonly alpha?: number } = {}): LayerCall => layer("ELU", options);
/** Rectifies with a slope below zero that is learnt. */
export const prelu = (options: PreluOptions = {}): LayerCall => layer("PReLU", options);
/** Softmax over an axis, −1 by default; the batch is 0. */
export const softmax = (options: LayerOptions & { readonly axis?: number } = {}): LayerCall =>
  layer("Softmax", options);
