import type { Constraint } from "../../constraints/index.ts";
import type { Initializer } from "../../initializers/index.ts";
import type { Regularizer } from "../../regularizers/index.ts";
import type { LayerOptions } from "../builders.ts";
import { layer } from "../definition.ts";
import type { LayerCall } from "../definition.ts";

/** Axes of a sample; the batch is 0, negative ones count from the end. */
export type Axes = number | readonly number[];

/** Options of normalisations with a learnt factor and offset. */
export interface AffineOptions extends LayerOptions {
  /** Added to the variance; 1e-3 by default. */
  readonly epsilon?: number;
  /** Whether an offset is learnt; true by default. */
  readonly center?: boolean;
  /** Whether a factor is learnt; true by default. */
  readonly scale?: boolean;
  readonly betaInitializer?: Initializer;
  readonly gammaInitializer?: Initializer;
  readonly betaRegularizer?: Regularizer;
  readonly gammaRegularizer?: Regularizer;
  readonly betaConstraint?: Constraint;
  readonly gammaConstraint?: Constraint;
}

/** Options of {@link batchNormalization}. */
export interface BatchNormalizationOptions extends AffineOptions {
  /** Axis of the channels; −1 by default. */
  readonly axis?: number;
  /** Share of the moving statistics kept at each step; 0.99 by default. */
  readonly momentum?: number;
  readonly movingMeanInitializer?: Initializer;
  readonly movingVarianceInitializer?: Initializer;
}

/** Options of {@link layerNormalization}. */
export interface LayerNormalizationOptions extends AffineOptions {
  /** Axes that are normalised; −1 by default. */
  readonly axis?: Axes;
  /** Divides by the deviation only, without a mean and an offset; false by default. */
  readonly rmsScaling?: boolean;
}

/** Options of {@link groupNormalization}. */
export interface GroupNormalizationOptions extends AffineOptions {
  /** Number of groups, which divides the channels; −1 is one a channel; 32 by default. */
  readonly groups?: number;
  /** Axis of the channels; −1 by default. */
  readonly axis?: number;
}

/** Normalises each channel by the batch. */
export const batchNormalization = (options: BatchNormalizationOptions = {}): LayerCall =>
  layer("BatchNormalization", options);
/** Normalises each sample over some axes. */
export const layerNormalization = (options: LayerNormalizationOptions = {}): LayerCall =>
  layer("LayerNormalization", options);
/** Divides each sample by its root mean square over some axes. */
export const rmsNormalization = (
  options: LayerOptions & {
    /** −1 by default. */
    readonly axis?: Axes;
    /** 1e-6 by default. */
    readonly epsilon?: number;
  } = {},
): LayerCall => layer("RMSNormalization", options);
/** Normalises each sample over groups of channels. */
export const groupNormalization = (options: GroupNormalizationOptions = {}): LayerCall =>
  layer("GroupNormalization", options);
/** Gives each sample length 1 over some axes. */
export const unitNormalization = (options: LayerOptions & { readonly axis?: Axes } = {}): LayerCall =>
  layer("UnitNormalization", options);
