import type { LayerSpec } from "../definition/definition.ts";
import { activationNames } from "./activation-config.ts";

/** A layer to be checked: its arguments and its inputs' shapes. */
export interface LayerCase {
  readonly args: Readonly<Record<string, unknown>>;
  readonly shapes: readonly (readonly number[])[];
  /** The input holds whole numbers below it, which have no gradient. */
  readonly numbers?: number;
  /** A layer in front of the first input, such as one that makes a mask. */
  readonly front?: LayerSpec;
  /** Step of the differences; 1e-2 by default. */
  readonly step?: number;
  /** Largest difference, relative to the largest gradient; 2e-2 by default. */
  readonly tolerance?: number;
}

/** Functions with kinks need a small step, which costs accuracy in single precision. */
const kinks = { step: 1e-3, tolerance: 5e-2 } as const;

const image = [[5, 6, 4]] as const;
const sequence = [[7, 4]] as const;
const volume = [[4, 3, 4, 2]] as const;

const activationCases = Object.fromEntries(
  activationNames
    .filter((name) => name !== "threshold")
    .map((activation): [string, LayerCase] => [
      `Activation ${activation}`,
      { args: { activation }, shapes: [[3, 6]], ...kinks },
    ]),
);

const pooling = Object.fromEntries(
  ["Max", "Average"].flatMap((kind): [string, LayerCase][] => [
    [`${kind}Pooling1D`, { args: {}, shapes: sequence, ...kinks }],
    [`${kind}Pooling2D`, { args: {}, shapes: image, ...kinks }],
    [`${kind}Pooling2D same`, { args: { poolSize: 3, strides: 2, padding: "same" }, shapes: image, ...kinks }],
    [`${kind}Pooling3D`, { args: { poolSize: [2, 1, 2] }, shapes: volume, ...kinks }],
    [`Global${kind}Pooling1D`, { args: {}, shapes: sequence, ...kinks }],
    [`Global${kind}Pooling2D`, { args: { keepDims: true }, shapes: image, ...kinks }],
    [`Global${kind}Pooling3D`, { args: {}, shapes: volume, ...kinks }],
  ]),
);

const merging = Object.fromEntries(
  ["Add", "Multiply", "Average", "Maximum", "Minimum"].flatMap((kind): [string, LayerCase][] => [
    [
      kind,
      {
        args: {},
        shapes: [
          [3, 4],
          [3, 4],
          [3, 4],
        ],
        ...kinks,
      },
    ],
    [
      `${kind} broadcast`,
      {
        args: {},
        shapes: [
          [3, 4],
          [1, 4],
        ],
        ...kinks,
      },
    ],
  ]),
);

const convolution: Readonly<Record<string, LayerCase>> = {
  Conv1D: { args: { filters: 3, kernelSize: 3 }, shapes: sequence },
  "Conv1D causal": { args: { filters: 3, kernelSize: 3, padding: "causal", dilationRate: 2 }, shapes: sequence },
  Conv2D: { args: { filters: 6, kernelSize: [3, 2], groups: 2, activation: "tanh" }, shapes: image },
  "Conv2D same": { args: { filters: 3, kernelSize: 3, strides: 2, padding: "same" }, shapes: image },
  "Conv2D gated": { args: { filters: 4, kernelSize: 1, activation: "glu" }, shapes: image },
  Conv3D: { args: { filters: 2, kernelSize: 2, padding: "same" }, shapes: volume },
  Conv1DTranspose: { args: { filters: 3, kernelSize: 3, strides: 2 }, shapes: sequence },
  Conv2DTranspose: { args: { filters: 3, kernelSize: 3, strides: 2, padding: "same" }, shapes: image },
  "Conv2DTranspose padded": {
    args: { filters: 3, kernelSize: 4, strides: 3, padding: "same", outputPadding: 1 },
    shapes: image,
  },
  "Conv2DTranspose wide": { args: { filters: 2, kernelSize: 1, strides: 2, padding: "same" }, shapes: image },
  Conv3DTranspose: { args: { filters: 2, kernelSize: 2, strides: [2, 1, 1] }, shapes: volume },
  DepthwiseConv1D: { args: { kernelSize: 3, depthMultiplier: 2 }, shapes: sequence },
  DepthwiseConv2D: { args: { kernelSize: 3, depthMultiplier: 2, strides: 2, padding: "same" }, shapes: image },
  SeparableConv1D: { args: { filters: 3, kernelSize: 3 }, shapes: sequence },
  SeparableConv2D: { args: { filters: 3, kernelSize: 3, depthMultiplier: 2, activation: "elu" }, shapes: image },
};

const shaping: Readonly<Record<string, LayerCase>> = {
  Flatten: { args: {}, shapes: image },
  "Flatten behind an image": { args: {}, shapes: image, front: { layer: "Conv2D", filters: 3, kernelSize: 2 } },
  Reshape: { args: { targetShape: [12, -1] }, shapes: image },
  Permute: { args: { dims: [3, 1, 2] }, shapes: image },
  RepeatVector: { args: { n: 3 }, shapes: [[4]] },
  ZeroPadding1D: { args: { padding: [1, 2] }, shapes: sequence },
  ZeroPadding2D: {
    args: {
      padding: [
        [1, 0],
        [0, 2],
      ],
    },
    shapes: image,
  },
  ZeroPadding3D: { args: {}, shapes: volume },
  Cropping1D: { args: { cropping: 2 }, shapes: sequence },
  Cropping2D: { args: { cropping: [[2, 1], 1] }, shapes: image },
  Cropping3D: { args: {}, shapes: volume },
  UpSampling1D: { args: { size: 3 }, shapes: sequence },
  UpSampling2D: { args: { size: [2, 3] }, shapes: image, front: { layer: "Conv2D", filters: 3, kernelSize: 2 } },
  UpSampling3D: { args: {}, shapes: volume },
};

const normalization: Readonly<Record<string, LayerCase>> = {
  BatchNormalization: { args: { epsilon: 0.1 }, shapes: image },
  "BatchNormalization of another axis": { args: { axis: 1, epsilon: 0.1 }, shapes: sequence },
  LayerNormalization: { args: { epsilon: 0.1 }, shapes: sequence },
  "LayerNormalization over all axes": { args: { axis: [1, 2], epsilon: 0.1 }, shapes: sequence },
  "LayerNormalization over the first axis": { args: { axis: 1, epsilon: 0.1 }, shapes: sequence },
  "LayerNormalization by the deviation": { args: { rmsScaling: true, epsilon: 0.1 }, shapes: sequence },
  RMSNormalization: { args: { epsilon: 0.1 }, shapes: sequence },
  GroupNormalization: { args: { groups: 2, epsilon: 0.1 }, shapes: image },
  UnitNormalization: { args: {}, shapes: sequence },
};

const disturbing: Readonly<Record<string, LayerCase>> = {
  Dropout: { args: { rate: 0.4 }, shapes: sequence },
  "Dropout of slices": { args: { rate: 0.4, noiseShape: [null, 1, null] }, shapes: sequence },
  SpatialDropout1D: { args: { rate: 0.4 }, shapes: sequence },
  SpatialDropout2D: { args: { rate: 0.4 }, shapes: image },
  SpatialDropout3D: { args: { rate: 0.4 }, shapes: volume },
  GaussianNoise: { args: { stddev: 0.5 }, shapes: sequence },
  GaussianDropout: { args: { rate: 0.3 }, shapes: sequence },
  AlphaDropout: { args: { rate: 0.3 }, shapes: sequence },
};

/** Numbers in front of an Embedding, of which 0 is padding. */
const masked = {
  shapes: [[7]],
  numbers: 3,
  front: { layer: "Embedding", inputDim: 3, outputDim: 4, maskZero: true, embeddingsInitializer: "glorot_normal" },
} as const;

const recurrent = Object.fromEntries(
  ["SimpleRNN", "LSTM", "GRU"].flatMap((kind): [string, LayerCase][] => [
    [kind, { args: { units: 3 }, shapes: sequence }],
    [`${kind} with all results`, { args: { units: 3, returnSequences: true, goBackwards: true }, shapes: sequence }],
    [`${kind} with dropout`, { args: { units: 3, dropout: 0.3, recurrentDropout: 0.3 }, shapes: sequence }],
    [`${kind} with a mask`, { args: { units: 3, returnSequences: true }, ...masked }],
    [`${kind} with a mask, backwards`, { args: { units: 3, goBackwards: true, zeroOutputForMask: true }, ...masked }],
    [`${kind} without bias`, { args: { units: 3, useBias: false, activation: "softsign" }, shapes: sequence }],
    [`${kind} with states`, { args: { units: 3 }, shapes: [[5, 2], [3], ...(kind === "LSTM" ? [[3]] : [])] }],
  ]),
);

const wrappers: Readonly<Record<string, LayerCase>> = {
  Bidirectional: { args: { wrapped: { layer: "LSTM", units: 3, returnSequences: true } }, shapes: sequence },
  "Bidirectional with a mask": { args: { wrapped: { layer: "GRU", units: 2, returnSequences: true } }, ...masked },
  "Bidirectional of two kinds": {
    args: {
      wrapped: { layer: "GRU", units: 2 },
      backward: { layer: "LSTM", units: 2, goBackwards: true },
      mergeMode: "mul",
    },
    shapes: sequence,
  },
  TimeDistributed: { args: { wrapped: { layer: "Conv1D", filters: 2, kernelSize: 2 } }, shapes: [[3, 5, 2]] },
  "TimeDistributed of a pooled image": {
    args: { wrapped: { layer: "GlobalAveragePooling2D" } },
    shapes: [[2, 3, 3, 2]],
  },
};

const attention: Readonly<Record<string, LayerCase>> = {
  MultiHeadAttention: { args: { numHeads: 2, keyDim: 3, dropout: 0.3 }, shapes: [[4, 5]] },
  "MultiHeadAttention of three": {
    args: { numHeads: 2, keyDim: 3, valueDim: 2, outputShape: 4, useBias: false },
    shapes: [
      [4, 5],
      [6, 3],
      [6, 2],
    ],
  },
  "MultiHeadAttention, causal": { args: { numHeads: 2, keyDim: 3, useCausalMask: true }, shapes: [[4, 5]] },
  "MultiHeadAttention with a mask": { args: { numHeads: 2, keyDim: 3 }, ...masked },
  Attention: {
    args: { useScale: true },
    shapes: [
      [4, 3],
      [5, 3],
    ],
  },
  "Attention by sums": {
    args: { scoreMode: "concat", dropout: 0.2 },
    shapes: [
      [4, 3],
      [5, 3],
    ],
  },
  "Attention, causal": {
    args: { useCausalMask: true },
    shapes: [
      [4, 3],
      [4, 3],
    ],
  },
  "Attention with a mask": { args: {}, ...masked },
  AdditiveAttention: {
    args: {},
    shapes: [
      [4, 3],
      [5, 3],
    ],
  },
  PositionEmbedding: { args: { sequenceLength: 9 }, shapes: sequence },
  SinePositionEncoding: { args: {}, shapes: sequence },
};

/** Cases by name; the layer a case is about is the part of its name before a space. */
export const layerCases: Readonly<Record<string, LayerCase>> = {
  ...activationCases,
  ...convolution,
  ...pooling,
  ...shaping,
  ...normalization,
  ...disturbing,
  ...merging,
  ...recurrent,
  ...wrappers,
  ...attention,
  Preprocessing: {
    args: {
      operations: [{ operator: "standardise", mean: [0, 1], deviation: [1, 2] }],
      outputs: [
        { lane: 1, category: null },
        { lane: 0, category: null },
      ],
    },
    shapes: [[2]],
  },
  OnnxGraph: {
    args: {
      operatorSet: 17,
      feeds: [{ name: "x", dtype: "float32" }],
      outputs: ["y"],
      nodes: [
        { name: "product", operator: "MatMul", inputs: ["x", "w"], outputs: ["p"], attributes: {} },
        { name: "sum", operator: "ReduceSum", inputs: ["p", "axis"], outputs: ["y"], attributes: { keepdims: 0 } },
      ],
      constants: { axis: { dtype: "int64", shape: [1], values: [1] } },
      weights: { w: { shape: [4, 3], trainable: true } },
    },
    shapes: sequence,
  },
  Resizing: { args: { height: 3, width: 8 }, shapes: image },
  "UpSampling2D bilinear": { args: { size: 2, interpolation: "bilinear" }, shapes: image },
  Identity: { args: {}, shapes: sequence },
  "GRU that resets before": { args: { units: 3, resetAfter: false }, shapes: sequence },
  Dense: { args: { units: 3, activation: "softmax" }, shapes: [[4]] },
  "Dense over sequences": { args: { units: 3, activation: "gelu" }, shapes: sequence },
  Embedding: { args: { inputDim: 5, outputDim: 3 }, shapes: [[4]], numbers: 5 },
  Masking: { args: {}, shapes: sequence },
  ReLU: { args: { maxValue: 0.5, negativeSlope: 0.1, threshold: 0.1 }, shapes: sequence, ...kinks },
  LeakyReLU: { args: {}, shapes: sequence, ...kinks },
  ELU: { args: { alpha: 0.5 }, shapes: sequence, ...kinks },
  PReLU: { args: {}, shapes: sequence, ...kinks },
  "PReLU per channel": {
    args: { sharedAxes: [1, 2] },
    shapes: image,
    front: { layer: "Conv2D", filters: 3, kernelSize: 2 },
    ...kinks,
  },
  Softmax: { args: { axis: 1 }, shapes: sequence },
  Rescaling: { args: { scale: 0.5, offset: 1 }, shapes: sequence },
  Normalization: { args: { mean: [0.1, 0.2, 0.3, 0.4], variance: [1, 2, 3, 4] }, shapes: sequence },
  Subtract: {
    args: {},
    shapes: [
      [3, 4],
      [3, 4],
    ],
  },
  Concatenate: {
    args: {},
    shapes: [
      [3, 4],
      [3, 2],
    ],
  },
  "Concatenate along the first axis": {
    args: { axis: 1 },
    shapes: [
      [3, 4],
      [2, 4],
    ],
  },
  Dot: {
    args: { axes: 2 },
    shapes: [
      [3, 4],
      [2, 4],
    ],
  },
  "Dot normalised": { args: { axes: [1, 1], normalize: true }, shapes: [[4], [4]] },
};
