import { expect, test } from "vitest";
import { goldenArray, goldenJson, largestDifference } from "../../../../tests/kit/golden.ts";
import { input, model, type ModelDefinition, sequential } from "../definition/definition.ts";
import {
  add,
  bidirectional,
  dense,
  globalAveragePooling1d,
  gru,
  layerNormalization,
  lstm,
  multiHeadAttention,
  simpleRnn,
} from "../index.ts";
import type { LayerCall } from "../definition/definition.ts";
import { onnxRuntimeExecutor } from "../onnxruntime-node/index.ts";
import { compile } from "../training/learner.ts";

interface Trajectory {
  readonly name: string;
  readonly optimizer: string;
  readonly config: { readonly learning_rate: number; readonly momentum?: number };
  readonly batch: number;
  readonly steps: number;
  readonly weights: readonly { readonly path: string; readonly shape: readonly number[] }[];
  readonly initial: string;
  readonly final: string;
  readonly lossPerStep: readonly number[];
  readonly tolerance: number;
}

const x = goldenArray("trajectories/seq.x.npy");
const y = goldenArray("trajectories/seq.y.npy");
const sample = x.shape.slice(1);

const recurrent = (layer: LayerCall): ModelDefinition =>
  sequential([input({ shape: sample }), layer, dense({ units: 3, activation: "softmax" })]);

const attentive = (): ModelDefinition => {
  const start = input({ shape: sample });
  const embedded = dense({ units: 8 })(start);
  const attended = multiHeadAttention({ numHeads: 2, keyDim: 4, useBias: false })(embedded, embedded);
  const normalised = layerNormalization()(add()(embedded, attended));
  const pooled = globalAveragePooling1d()(normalised);
  return model({ inputs: [start], outputs: [dense({ units: 3, activation: "softmax" })(pooled)] });
};

const nets: Readonly<Record<string, () => ModelDefinition>> = {
  seq_lstm: () => recurrent(lstm({ units: 6 })),
  seq_gru: () => recurrent(gru({ units: 6 })),
  seq_simple_rnn: () => recurrent(simpleRnn({ units: 6 })),
  seq_bilstm: () => recurrent(bidirectional({ wrapped: lstm({ units: 4 }) })),
  seq_attention_nobias: attentive,
};

const netOf = (name: string): ModelDefinition => {
  const family = Object.keys(nets).find((known) => name.startsWith(known));
  const net = family === undefined ? undefined : nets[family];
  if (net === undefined) throw new Error(`No network for ${name}.`);
  return net();
};

const { cases } = goldenJson<{ cases: Trajectory[] }>("trajectories/manifest.json");
const own = cases.filter(({ name }) => name.startsWith("seq_")).map((one) => [one.name, one] as const);

test.each(own)("trainings of %s follow Keras step by step", async (name, one) => {
  const optimizer = one.optimizer.toLowerCase() as "adam" | "sgd" | "rmsprop";
  const { learning_rate: learningRate, momentum } = one.config;
  await using learner = await compile(netOf(name), {
    optimizer: { name: optimizer, learningRate, ...(momentum ? { momentum } : {}) },
    loss: "sparse_categorical_crossentropy",
    executor: onnxRuntimeExecutor({ intraOpNumThreads: 1 }),
  });
  const names = learner.weights.names();
  expect(names.map((weight) => learner.getWeight(weight).shape)).toEqual(one.weights.map(({ shape }) => shape));
  const initial = goldenArray(`trajectories/${one.initial}`).values;
  let offset = 0;
  for (const weight of names) {
    const { length } = learner.getWeight(weight).values;
    learner.setWeight(weight, initial.subarray(offset, offset + length));
    offset += length;
  }
  const program = await learner.program(one.batch);
  const [samples = 1] = x.shape;
  const [xw, yw] = [x.values.length / samples, y.values.length / samples];
  for (let step = 0; step < one.steps; step++) {
    const first = (step * one.batch) % samples;
    program.inputs[0]?.set(x.values.subarray(first * xw, (first + one.batch) * xw));
    program.targets[0]?.set(y.values.subarray(first * yw, (first + one.batch) * yw));
    await program.run(learner.masks);
    const expected = one.lossPerStep[step] ?? NaN;
    const difference = Math.abs((program.sums[0] ?? NaN) / one.batch - expected);
    expect(difference).toBeLessThan(one.tolerance * Math.max(1, expected));
    learner.optimizer.step();
  }
  const trained = Float32Array.from(names.flatMap((weight) => [...learner.getWeight(weight).values]));
  expect(largestDifference(trained, goldenArray(`trajectories/${one.final}`).values)).toBeLessThan(one.tolerance);
});
