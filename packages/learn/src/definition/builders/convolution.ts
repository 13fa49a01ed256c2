import type { Initializer } from "../../initializers/index.ts";
import type { Activation } from "../../layers/activation-config.ts";
import type { Padding, Pair, Triple } from "../../layers/arguments.ts";
import type { KernelOptions, LayerOptions } from "../builders.ts";
import { layer } from "../definition.ts";
import type { LayerCall } from "../definition.ts";

/** Options of convolutions; `Size` is a number for all spatial axes, or one for each. */
export interface ConvolutionOptions<Size> extends KernelOptions {
  /** Channels of the result. */
  readonly filters: number;
  /** Lengths of the window. */
  readonly kernelSize: Size;
  /** Steps of the window; 1 by default. */
  readonly strides?: Size;
  /** `valid` by default. */
  readonly padding?: Padding;
  /** Distance between the window's elements; 1 by default. */
  readonly dilationRate?: Size;
  /** Groups of channels that are convolved apart; 1 by default. */
  readonly groups?: number;
}

/** Options of {@link conv1d}. */
export interface Conv1dOptions extends Omit<ConvolutionOptions<number>, "padding"> {
  /** `valid` by default; `causal` pads in front only. */
  readonly padding?: Padding | "causal";
}

/** Options of transposed convolutions. */
export interface TransposedConvolutionOptions<Size> extends KernelOptions {
  /** Channels of the result. */
  readonly filters: number;
  /** Lengths of the window. */
  readonly kernelSize: Size;
  /** Distance between the windows of two neighbours; 1 by default. */
  readonly strides?: Size;
  /** `valid` by default. */
  readonly padding?: Padding;
  /** Length added at the end, less than the stride; chosen by the padding when left out. */
  readonly outputPadding?: Size;
  /** Distance between the window's elements; 1 by default. */
  readonly dilationRate?: Size;
}

/** Options of depthwise convolutions. */
export interface DepthwiseConvolutionOptions<Size> extends LayerOptions {
  /** Lengths of the window. */
  readonly kernelSize: Size;
  /** Steps of the window; 1 by default. */
  readonly strides?: Size;
  /** `valid` by default. */
  readonly padding?: Padding;
  /** Distance between the window's elements; 1 by default. */
  readonly dilationRate?: Size;
  /** Channels made of each channel; 1 by default. */
  readonly depthMultiplier?: number;
  /** Applied to the result; none by default. */
  readonly activation?: Activation;
  /** Whether a bias is added; true by default. */
  readonly useBias?: boolean;
  /** Initial kernel; Glorot uniform by default. */
  readonly depthwiseInitializer?: Initializer;
  /** Initial bias; zeros by default. */
  readonly biasInitializer?: Initializer;
}

/** Options of separable convolutions. */
export interface SeparableConvolutionOptions<Size> extends DepthwiseConvolutionOptions<Size> {
  /** Channels of the result. */
  readonly filters: number;
  /** Initial kernel of the second convolution; Glorot uniform by default. */
  readonly pointwiseInitializer?: Initializer;
}

/** Options of poolings. */
export interface PoolingOptions<Size> extends LayerOptions {
  /** Lengths of the window; 2 by default. */
  readonly poolSize?: Size;
  /** Steps of the window; the window's size by default. */
  readonly strides?: Size;
  /** `valid` by default. */
  readonly padding?: Padding;
}

/** Options of global poolings. */
export interface GlobalPoolingOptions extends LayerOptions {
  /** Keeps the spatial axes with length 1; false by default. */
  readonly keepDims?: boolean;
}

/** A convolution over sequences [steps, channels]. */
export const conv1d = (options: Conv1dOptions): LayerCall => layer("Conv1D", options);
/** A convolution over images [height, width, channels]. */
export const conv2d = (options: ConvolutionOptions<Pair>): LayerCall => layer("Conv2D", options);
/** A convolution over volumes [depth, height, width, channels]. */
export const conv3d = (options: ConvolutionOptions<Triple>): LayerCall => layer("Conv3D", options);
/** A transposed convolution over sequences. */
export const conv1dTranspose = (options: TransposedConvolutionOptions<number>): LayerCall =>
  layer("Conv1DTranspose", options);
/** A transposed convolution over images. */
export const conv2dTranspose = (options: TransposedConvolutionOptions<Pair>): LayerCall =>
  layer("Conv2DTranspose", options);
/** A transposed convolution over volumes. */
export const conv3dTranspose = (options: TransposedConvolutionOptions<Triple>): LayerCall =>
  layer("Conv3DTranspose", options);
/** A convolution of every channel of a sequence apart. */
export const depthwiseConv1d = (options: DepthwiseConvolutionOptions<number>): LayerCall =>
  layer("DepthwiseConv1D", options);
/** A convolution of every channel of an image apart. */
export const depthwiseConv2d = (options: DepthwiseConvolutionOptions<Pair>): LayerCall =>
  layer("DepthwiseConv2D", options);
/** A depthwise convolution over sequences and one over single steps behind it. */
export const separableConv1d = (options: SeparableConvolutionOptions<number>): LayerCall =>
  layer("SeparableConv1D", options);
/** A depthwise convolution over images and one over single pixels behind it. */
export const separableConv2d = (options: SeparableConvolutionOptions<Pair>): LayerCall =>
  layer("SeparableConv2D", options);

/** The largest element of each window of a sequence. */
export const maxPooling1d = (options: PoolingOptions<number> = {}): LayerCall => layer("MaxPooling1D", options);
/** The largest element of each window of an image. */
export const maxPooling2d = (options: PoolingOptions<Pair> = {}): LayerCall => layer("MaxPooling2D", options);
/** The largest element of each window of a volume. */
export const maxPooling3d = (options: PoolingOptions<Triple> = {}): LayerCall => layer("MaxPooling3D", options);
/** The mean of each window of a sequence. */
export const averagePooling1d = (options: PoolingOptions<number> = {}): LayerCall => layer("AveragePooling1D", options);
/** The mean of each window of an image. */
export const averagePooling2d = (options: PoolingOptions<Pair> = {}): LayerCall => layer("AveragePooling2D", options);
/** The mean of each window of a volume. */
export const averagePooling3d = (options: PoolingOptions<Triple> = {}): LayerCall => layer("AveragePooling3D", options);
/** The largest element of each channel of a sequence. */
export const globalMaxPooling1d = (options: GlobalPoolingOptions = {}): LayerCall =>
  layer("GlobalMaxPooling1D", options);
/** The largest element of each channel of an image. */
export const globalMaxPooling2d = (options: GlobalPoolingOptions = {}): LayerCall =>
  layer("GlobalMaxPooling2D", options);
/** The largest element of each channel of a volume. */
export const globalMaxPooling3d = (options: GlobalPoolingOptions = {}): LayerCall =>
  layer("GlobalMaxPooling3D", options);
/** The mean of each channel of a sequence, over the steps that its mask keeps. */
export const globalAveragePooling1d = (options: GlobalPoolingOptions = {}): LayerCall =>
  layer("GlobalAveragePooling1D", options);
/** The mean of each channel of an image. */
export const globalAveragePooling2d = (options: GlobalPoolingOptions = {}): LayerCall =>
  layer("GlobalAveragePooling2D", options);
/** The mean of each channel of a volume. */
export const globalAveragePooling3d = (options: GlobalPoolingOptions = {}): LayerCall =>
  layer("GlobalAveragePooling3D", options);
