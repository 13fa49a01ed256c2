import type { Constraint } from "../constraints/index.ts";
import type { Initializer } from "../initializers/index.ts";
import type { Activation } from "../layers/activations.ts";
import type { Padding, Pair } from "../layers/arguments.ts";
import type { Regularizer } from "../regularizers/index.ts";
import { layer } from "./definition.ts";
import type { LayerCall } from "./definition.ts";

/** What every layer takes. */
export interface LayerOptions {
  /** Name of the layer inside its model; made from its kind when left out. */
  readonly name?: string;
  /** False freezes the layer: its weights stay as they are, a BatchNormalization uses its moving statistics. */
  readonly trainable?: boolean;
  /** Adds a penalty on the layer's result to the loss. */
  readonly activityRegularizer?: Regularizer;
}

/** Options of layers that multiply by a kernel. */
export interface KernelOptions extends LayerOptions {
  /** Applied to the result; none by default. */
  readonly activation?: Activation;
  /** Whether a bias is added; true by default. */
  readonly useBias?: boolean;
  /** Initial kernel; Glorot uniform by default. */
  readonly kernelInitializer?: Initializer;
  /** Initial bias; zeros by default. */
  readonly biasInitializer?: Initializer;
  /** Adds a penalty on the kernel to the loss. */
  readonly kernelRegularizer?: Regularizer;
  /** Adds a penalty on the bias to the loss. */
  readonly biasRegularizer?: Regularizer;
  /** Held by the kernel after each update. */
  readonly kernelConstraint?: Constraint;
  /** Held by the bias after each update. */
  readonly biasConstraint?: Constraint;
}

/** Options of {@link dense}. */
export interface DenseOptions extends KernelOptions {
  /** Length of the result's last axis. */
  readonly units: number;
}

/** Options of {@link conv2d}. */
export interface Conv2dOptions extends KernelOptions {
  /** Channels of the result. */
  readonly filters: number;
  /** Height and width of the window. */
  readonly kernelSize: Pair;
  /** Steps of the window; 1 by default. */
  readonly strides?: Pair;
  /** `valid` by default. */
  readonly padding?: Padding;
  /** Distance between the window's elements; 1 by default. */
  readonly dilationRate?: Pair;
  /** Groups of channels that are convolved apart; 1 by default. */
  readonly groups?: number;
}

/** Options of poolings. */
export interface Pooling2dOptions extends LayerOptions {
  /** Height and width of the window; 2 by default. */
  readonly poolSize?: Pair;
  /** Steps of the window; the window's size by default. */
  readonly strides?: Pair;
  /** `valid` by default. */
  readonly padding?: Padding;
}

/** Options of {@link globalAveragePooling2d}. */
export interface GlobalPoolingOptions extends LayerOptions {
  /** Keeps height and width as axes of length 1; false by default. */
  readonly keepDims?: boolean;
}

/** Options of {@link reshape}. */
export interface ReshapeOptions extends LayerOptions {
  /** Shape of a sample; one length may be −1. */
  readonly targetShape: readonly number[];
}

/** Options of {@link dropout}. */
export interface DropoutOptions extends LayerOptions {
  /** Share of elements zeroed in training, 0 ≤ rate < 1. */
  readonly rate: number;
}

/** Options of {@link batchNormalization}. */
export interface BatchNormalizationOptions extends LayerOptions {
  /** Share of the moving statistics kept at each step; 0.99 by default. */
  readonly momentum?: number;
  /** Added to the variance; 1e-3 by default. */
  readonly epsilon?: number;
  /** Whether an offset is learnt; true by default. */
  readonly center?: boolean;
  /** Whether a factor is learnt; true by default. */
  readonly scale?: boolean;
  readonly betaInitializer?: Initializer;
  readonly gammaInitializer?: Initializer;
  readonly movingMeanInitializer?: Initializer;
  readonly movingVarianceInitializer?: Initializer;
  readonly betaRegularizer?: Regularizer;
  readonly gammaRegularizer?: Regularizer;
  readonly betaConstraint?: Constraint;
  readonly gammaConstraint?: Constraint;
}

/** Options of {@link rescaling}. */
export interface RescalingOptions extends LayerOptions {
  readonly scale: number;
  /** 0 by default. */
  readonly offset?: number;
}

/** Options of {@link normalization}. */
export interface NormalizationOptions extends LayerOptions {
  /** One mean, or one for each element of the last axis. */
  readonly mean: readonly number[];
  /** One variance, or one for each element of the last axis. */
  readonly variance: readonly number[];
}

/** A fully connected layer over the last axis. */
export const dense = (options: DenseOptions): LayerCall => layer("Dense", options);
/** A two-dimensional convolution over images [height, width, channels]. */
export const conv2d = (options: Conv2dOptions): LayerCall => layer("Conv2D", options);
/** The largest element of each window of an image. */
export const maxPooling2d = (options: Pooling2dOptions = {}): LayerCall => layer("MaxPooling2D", options);
/** The mean of each window of an image. */
export const averagePooling2d = (options: Pooling2dOptions = {}): LayerCall => layer("AveragePooling2D", options);
/** The mean of each channel of an image. */
export const globalAveragePooling2d = (options: GlobalPoolingOptions = {}): LayerCall =>
  layer("GlobalAveragePooling2D", options);
/** All elements of a sample in one row. */
export const flatten = (options: LayerOptions = {}): LayerCall => layer("Flatten", options);
/** The same elements in another shape. */
export const reshape = (options: ReshapeOptions): LayerCall => layer("Reshape", options);
/** Zeroes a share of the elements in training. */
export const dropout = (options: DropoutOptions): LayerCall => layer("Dropout", options);
/** Normalises each channel by the batch. */
export const batchNormalization = (options: BatchNormalizationOptions = {}): LayerCall =>
  layer("BatchNormalization", options);
/** An activation as a layer. */
export const activation = (options: LayerOptions & { readonly activation: Activation }): LayerCall =>
  layer("Activation", options);
/** x · scale + offset. */
export const rescaling = (options: RescalingOptions): LayerCall => layer("Rescaling", options);
/** (x − mean) / √variance with fixed statistics. */
export const normalization = (options: NormalizationOptions): LayerCall => layer("Normalization", options);
/** The sum of several inputs. */
export const add = (options: LayerOptions = {}): LayerCall => layer("Add", options);
/** Several inputs side by side. */
export const concatenate = (options: LayerOptions & { readonly axis?: number } = {}): LayerCall =>
  layer("Concatenate", options);
