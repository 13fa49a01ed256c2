/** The networks that are trained beside the peers; `peers/networks.py` defines the same ones. */
import {
  add,
  batchNormalization,
  conv2d,
  dense,
  embedding,
  flatten,
  globalAveragePooling1d,
  globalAveragePooling2d,
  input,
  layerNormalization,
  lstm,
  maxPooling2d,
  model,
  type ModelDefinition,
  multiHeadAttention,
  relu,
  sequential,
} from "@modelyard/learn";

type SymbolicValue = ReturnType<typeof input>;

/** A network with random data of the kind that it takes. */
export interface Network {
  readonly definition: () => ModelDefinition;
  /** Shape of one sample. */
  readonly sample: readonly number[];
  readonly classes: number;
  /** Number of different words, for networks that take word numbers instead of values from 0 to 1. */
  readonly words?: number;
}

const convolution = (filters: number, strides: number, kernelSize = 3) =>
  conv2d({ filters, kernelSize, strides, padding: kernelSize === 3 ? "same" : "valid", useBias: false });

interface Block {
  readonly channels: number;
  readonly filters: number;
  readonly strides: number;
}

const residualBlock = (x: SymbolicValue, { channels, filters, strides }: Block): SymbolicValue => {
  const inner = relu()(batchNormalization()(convolution(filters, strides)(x)));
  const y = batchNormalization()(convolution(filters, 1)(inner));
  const same = strides === 1 && channels === filters;
  return relu()(add()(same ? x : convolution(filters, strides, 1)(x), y));
};

const resnet = (): ModelDefinition => {
  const image = input({ shape: [32, 32, 3] });
  const stem = relu()(batchNormalization()(convolution(16, 1)(image)));
  const first = residualBlock(stem, { channels: 16, filters: 16, strides: 1 });
  const second = residualBlock(first, { channels: 16, filters: 32, strides: 2 });
  const third = residualBlock(second, { channels: 32, filters: 64, strides: 2 });
  const output = dense({ units: 10, activation: "softmax" })(globalAveragePooling2d()(third));
  return model({ inputs: [image], outputs: [output] });
};

const encoder = (x: SymbolicValue): SymbolicValue => {
  const attended = layerNormalization()(add()(x, multiHeadAttention({ numHeads: 4, keyDim: 32 })(x, x)));
  const inner = dense({ units: 128 })(dense({ units: 256, activation: "relu" })(attended));
  return layerNormalization()(add()(attended, inner));
};

const transformer = (): ModelDefinition => {
  const words = input({ shape: [128] });
  const embedded = embedding({ inputDim: 5000, outputDim: 128 })(words);
  const encoded = encoder(encoder(embedded));
  const output = dense({ units: 4, activation: "softmax" })(globalAveragePooling1d()(encoded));
  return model({ inputs: [words], outputs: [output] });
};

/** By name. */
export const networks = {
  cnn: {
    definition: () =>
      sequential([
        input({ shape: [28, 28, 1] }),
        conv2d({ filters: 32, kernelSize: 3, activation: "relu" }),
        maxPooling2d({ poolSize: 2 }),
        flatten(),
        dense({ units: 64, activation: "relu" }),
        dense({ units: 10, activation: "softmax" }),
      ]),
    sample: [28, 28, 1],
    classes: 10,
  },
  mlp: {
    definition: () =>
      sequential([
        input({ shape: [784] }),
        dense({ units: 256, activation: "relu" }),
        dense({ units: 128, activation: "relu" }),
        dense({ units: 10, activation: "softmax" }),
      ]),
    sample: [784],
    classes: 10,
  },
  lstm: {
    definition: () =>
      sequential([
        input({ shape: [100] }),
        embedding({ inputDim: 10_000, outputDim: 64 }),
        lstm({ units: 64 }),
        dense({ units: 2, activation: "softmax" }),
      ]),
    sample: [100],
    classes: 2,
    words: 10_000,
  },
  resnet: { definition: resnet, sample: [32, 32, 3], classes: 10 },
  transformer: { definition: transformer, sample: [128], classes: 4, words: 5000 },
} as const satisfies Readonly<Record<string, Network>>;
