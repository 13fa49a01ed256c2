import type { Initializer } from "../../initializers/index.ts";
import type { Activation } from "../../layers/activation-config.ts";
import type { Constraint } from "../../constraints/index.ts";
import type { Regularizer } from "../../regularizers/index.ts";
import type { KernelOptions, LayerOptions } from "../builders.ts";
import { layer } from "../definition.ts";
import type { LayerCall } from "../definition.ts";

/** Options of recurrent layers; the activation is tanh by default. */
export interface RecurrentOptions extends KernelOptions {
  /** Length of the state and of each result. */
  readonly units: number;
  /** Initial recurrent kernel; orthogonal by default. */
  readonly recurrentInitializer?: Initializer;
  /** Adds a penalty on the recurrent kernel to the loss. */
  readonly recurrentRegularizer?: Regularizer;
  /** Held by the recurrent kernel after each update. */
  readonly recurrentConstraint?: Constraint;
  /** Share of the input's features zeroed in training, the same at all steps; 0 by default. */
  readonly dropout?: number;
  /** Share of the state zeroed in training before it is multiplied, the same at all steps; 0 by default. */
  readonly recurrentDropout?: number;
  /** Whether all results are given instead of the last one; false by default. */
  readonly returnSequences?: boolean;
  /** Whether the last states are given as further results; false by default. */
  readonly returnState?: boolean;
  /** Runs from the last step to the first; false by default. */
  readonly goBackwards?: boolean;
  /** Whether steps that the mask leaves out give zeros instead of the result before them; false by default. */
  readonly zeroOutputForMask?: boolean;
}

/** Options of recurrent layers with gates. */
export interface GatedOptions extends RecurrentOptions {
  /** Activation of the gates; sigmoid by default. */
  readonly recurrentActivation?: Activation;
}

/** Options of {@link lstm}. */
export interface LstmOptions extends GatedOptions {
  /** Whether the forget gate's bias begins with ones; true by default. */
  readonly unitForgetBias?: boolean;
}

/** Options of {@link gru}. */
export interface GruOptions extends GatedOptions {
  /** Whether the state is reset behind its product, with a bias of its own, or in front of it; true by default. */
  readonly resetAfter?: boolean;
}

/** Options of {@link bidirectional}. */
export interface BidirectionalOptions extends LayerOptions {
  /** The recurrent layer. */
  readonly wrapped: LayerCall;
  /** The layer that runs backwards; a copy of the wrapped one by default. */
  readonly backward?: LayerCall;
  /** How both results become one; `concat` by default. */
  readonly mergeMode?: "concat" | "sum" | "ave" | "mul";
}

/** A recurrent layer without gates. Inputs are a sequence, and optionally the first state. */
export const simpleRnn = (options: RecurrentOptions): LayerCall => layer("SimpleRNN", options);
/** Long short-term memory. Inputs are a sequence, and optionally the first hidden state and cell. */
export const lstm = (options: LstmOptions): LayerCall => layer("LSTM", options);
/** A gated recurrent unit. Inputs are a sequence, and optionally the first state. */
export const gru = (options: GruOptions): LayerCall => layer("GRU", options);
/** A recurrent layer over a sequence in both directions. */
export const bidirectional = ({ wrapped, backward, ...options }: BidirectionalOptions): LayerCall =>
  layer("Bidirectional", {
    ...options,
    wrapped: wrapped.spec,
    ...(backward === undefined ? {} : { backward: backward.spec }),
  });
/** A layer applied to every step by itself. */
export const timeDistributed = ({ wrapped, ...options }: LayerOptions & { readonly wrapped: LayerCall }): LayerCall =>
  layer("TimeDistributed", { ...options, wrapped: wrapped.spec });
