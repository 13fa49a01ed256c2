import type { Constraint } from "../../constraints/index.ts";
import type { Initializer } from "../../initializers/index.ts";
import type { Regularizer } from "../../regularizers/index.ts";
import type { LayerOptions } from "../builders.ts";
import { layer } from "../definition.ts";
import type { LayerCall } from "../definition.ts";

/** Options of {@link multiHeadAttention}. */
export interface MultiHeadAttentionOptions extends LayerOptions {
  /** Number of heads. */
  readonly numHeads: number;
  /** Length of each head's queries and keys. */
  readonly keyDim: number;
  /** Length of each head's values; keyDim by default. */
  readonly valueDim?: number;
  /** Length of each result; that of the query by default. */
  readonly outputShape?: number;
  /** Share of the attention dropped in training; 0 by default. */
  readonly dropout?: number;
  /** Whether biases are added; true by default. */
  readonly useBias?: boolean;
  /** Whether a query sees no later key; false by default. */
  readonly useCausalMask?: boolean;
  /** Whether the attention [heads, queries, keys] is given as a further result; false by default. */
  readonly returnAttentionScores?: boolean;
  readonly kernelInitializer?: Initializer;
  readonly biasInitializer?: Initializer;
  readonly kernelRegularizer?: Regularizer;
  readonly biasRegularizer?: Regularizer;
  readonly kernelConstraint?: Constraint;
  readonly biasConstraint?: Constraint;
}

/** Options of {@link additiveAttention}. */
export interface AdditiveAttentionOptions extends LayerOptions {
  /** Whether scores are scaled by a learnt factor. */
  readonly useScale?: boolean;
  /** Share of the attention dropped in training; 0 by default. */
  readonly dropout?: number;
  /** Whether a query sees no later key; false by default. */
  readonly useCausalMask?: boolean;
}

/** Options of {@link attention}. */
export interface AttentionOptions extends AdditiveAttentionOptions {
  /** Whether scores are products of query and key or sums of them; `dot` by default. */
  readonly scoreMode?: "dot" | "concat";
}

/** Attention with several heads. Inputs are query, value, and optionally key and a mask [queries, keys]. */
export const multiHeadAttention = (options: MultiHeadAttentionOptions): LayerCall =>
  layer("MultiHeadAttention", options);
/** Attention by products or sums. Inputs are query, value, and optionally key. */
export const attention = (options: AttentionOptions = {}): LayerCall => layer("Attention", options);
/** Attention by sums with a factor for each feature. Inputs are query, value, and optionally key. */
export const additiveAttention = (options: AdditiveAttentionOptions = {}): LayerCall =>
  layer("AdditiveAttention", options);
/** A learnt vector for each place of a sequence, to be added to it. */
export const positionEmbedding = (
  options: LayerOptions & {
    /** Longest sequence. */
    readonly sequenceLength: number;
    readonly embeddingsInitializer?: Initializer;
  },
): LayerCall => layer("PositionEmbedding", options);
/** Sines and cosines of each place of a sequence, to be added to it. */
export const sinePositionEncoding = (options: LayerOptions & { readonly maxWavelength?: number } = {}): LayerCall =>
  layer("SinePositionEncoding", options);
