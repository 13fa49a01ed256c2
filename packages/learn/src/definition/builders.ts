import type { Constraint } from "../constraints/index.ts";
import type { Initializer } from "../initializers/index.ts";
import type { Activation } from "../layers/activation-config.ts";
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

/** Options of {@link embedding}. */
export interface EmbeddingOptions extends LayerOptions {
  /** Number of different whole numbers, 0 to inputDim − 1. */
  readonly inputDim: number;
  /** Length of each vector. */
  readonly outputDim: number;
  /** Initial vectors; uniform in ±0.05 by default. */
  readonly embeddingsInitializer?: Initializer;
  /** Whether 0 is padding, which later layers leave out; false by default. */
  readonly maskZero?: boolean;
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
  /** Turns normalised values back; false by default. */
  readonly invert?: boolean;
}

/** A fully connected layer over the last axis. */
export const dense = (options: DenseOptions): LayerCall => layer("Dense", options);
/** A learnt vector for each whole number. */
export const embedding = (options: EmbeddingOptions): LayerCall => layer("Embedding", options);
/** Marks the steps whose elements all equal a value, 0 by default, as padding. */
export const masking = (options: LayerOptions & { readonly maskValue?: number } = {}): LayerCall =>
  layer("Masking", options);
/** x · scale + offset. */
export const rescaling = (options: RescalingOptions): LayerCall => layer("Rescaling", options);
/** (x − mean) / √variance with fixed statistics. */
export const normalization = (options: NormalizationOptions): LayerCall => layer("Normalization", options);
