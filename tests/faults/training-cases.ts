import { batchNormalization, conv2d, dense, dropout, flatten, input, maxPooling2d, sequential } from "@modelyard/learn";
import type { Modelyard } from "@modelyard/sdk";

type StartRequest = Parameters<Modelyard["runs"]["start"]>[0];

/** A training whose interruption must leave no trace. */
export interface TrainingCase {
  readonly name: string;
  readonly request: Omit<StartRequest, "experiment" | "dataset">;
}

const rows = 320;
const side = 8;

/** An IDX file: header, then bytes. */
const idx = (shape: readonly number[], values: Uint8Array): Uint8Array<ArrayBuffer> => {
  const header = new DataView(new ArrayBuffer(4 + 4 * shape.length));
  header.setUint32(0, 0x0800 + shape.length);
  for (const [i, size] of shape.entries()) header.setUint32(4 + 4 * i, size);
  return Uint8Array.from([...new Uint8Array(header.buffer), ...values]);
};

/** Imports small images of three kinds: bright at the left, at the right, or in the middle, under noise. */
export const importImages = async (yard: Modelyard, name: string): Promise<void> => {
  const labels = Uint8Array.from({ length: rows }, (_, row) => row % 3);
  const pixels = Uint8Array.from({ length: rows * side * side }, (_, i) => {
    const row = Math.floor(i / (side * side));
    const bright = Math.abs((i % side) - ([1, 6, 4][(labels[row] ?? 0) % 3] ?? 0)) < 2;
    return Math.floor((Math.sin(i * 12.9898) * 0.5 + 0.5) * 120) + (bright ? 120 : 0);
  });
  const files = [
    { name: "train-images-idx3-ubyte", content: idx([rows, side, side], pixels) },
    { name: "train-labels-idx1-ubyte", content: idx([rows], labels) },
  ];
  const split = { by: "random", train: 0.8, validation: 0.2, test: 0, seed: 1 } as const;
  for await (const _ of yard.datasets.import(name, { format: "idx", split }, files));
};

const definitionOf = (layers: Parameters<typeof sequential>[0]): StartRequest["definition"] =>
  sequential([input({ shape: [side, side, 1] }), ...layers]);

const softmax = dense({ units: 3, activation: "softmax" });
const plain = definitionOf([flatten(), dense({ units: 16, activation: "relu" }), softmax]);

/** What a checkpoint must carry, one case for each: weights, mask generators, moving statistics, rates, callbacks. */
export const trainingCases: readonly TrainingCase[] = [
  {
    name: "cnn",
    request: {
      definition: definitionOf([conv2d({ filters: 8, kernelSize: 3 }), maxPooling2d(), flatten(), softmax]),
      epochs: 40,
      optimizer: "adam",
    },
  },
  {
    name: "dropout",
    request: {
      definition: definitionOf([flatten(), dense({ units: 32, activation: "relu" }), dropout({ rate: 0.4 }), softmax]),
      epochs: 40,
      optimizer: { name: "sgd", learningRate: 0.01, momentum: 0.9 },
      checkpointEverySteps: 7,
    },
  },
  {
    name: "batch-normalization",
    request: {
      definition: definitionOf([
        conv2d({ filters: 4, kernelSize: 3, useBias: false }),
        batchNormalization(),
        flatten(),
        softmax,
      ]),
      epochs: 40,
      optimizer: "rmsprop",
      checkpointEverySteps: 11,
    },
  },
  {
    name: "schedule",
    request: {
      definition: plain,
      epochs: 40,
      optimizer: {
        name: "adamw",
        learningRate: { schedule: "cosine_decay", initialLearningRate: 0.002, decaySteps: 500 },
      },
    },
  },
  {
    name: "early-stopping",
    request: {
      definition: plain,
      epochs: 400,
      optimizer: { name: "sgd", learningRate: 0.003 },
      callbacks: [
        { name: "early_stopping", monitor: "val_loss", min_delta: 0.01, patience: 12, restore_best_weights: true },
      ],
      checkpointEverySteps: 5,
    },
  },
  {
    name: "reduce-on-plateau",
    request: {
      definition: plain,
      epochs: 80,
      callbacks: [{ name: "reduce_lr_on_plateau", monitor: "val_loss", min_delta: 0.02, patience: 2, factor: 0.5 }],
    },
  },
];

/** The case with fewer or more rounds is the same: 256 training rows in batches of 16, sixteen steps an epoch. */
export const startCase = (yard: Modelyard, { name, request }: TrainingCase) =>
  yard.runs.start({ ...request, experiment: name, dataset: "images@1", batchSize: 16, seed: 11 });
