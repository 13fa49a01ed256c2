/**
 * The field's first lesson in one process: a small convolutional network learns Fashion-MNIST.
 * Run: node examples/fashion-in-process.ts [--quick]
 */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import {
  compile,
  conv2d,
  type DataArray,
  dense,
  flatten,
  input,
  maxPooling2d,
  progress,
  rescaling,
  sequential,
} from "@modelyard/learn";
import { onnxRuntimeExecutor } from "@modelyard/learn/onnxruntime-node";

const read = (name: string, headerBytes: number): Uint8Array =>
  gunzipSync(readFileSync(new URL(`data/fashion-mnist/${name}`, import.meta.url))).subarray(headerBytes);

const load = (part: "train" | "t10k", limit: number): { x: DataArray; y: DataArray } => {
  const labels = read(`${part}-labels-idx1-ubyte.gz`, 8).subarray(0, limit);
  const pixels = read(`${part}-images-idx3-ubyte.gz`, 16).subarray(0, limit * 784);
  return { x: { shape: [labels.length, 28, 28, 1], values: pixels }, y: { shape: [labels.length], values: labels } };
};

const quick = process.argv.includes("--quick");
const train = load("train", quick ? 6000 : 60_000);
const test = load("t10k", quick ? 1000 : 10_000);

const model = sequential([
  input({ shape: [28, 28, 1] }),
  rescaling({ scale: 1 / 255 }),
  conv2d({ filters: 32, kernelSize: 3, activation: "relu" }),
  maxPooling2d({ poolSize: 2 }),
  flatten(),
  dense({ units: 64, activation: "relu" }),
  dense({ units: 10, activation: "softmax" }),
]);

await using learner = await compile(model, {
  optimizer: "adam",
  loss: "sparse_categorical_crossentropy",
  metrics: ["accuracy"],
  seed: 1,
  executor: onnxRuntimeExecutor(),
});
console.log(learner.summary());

const started = performance.now();
await learner.fit(train.x, train.y, {
  epochs: 1,
  batchSize: 32,
  callbacks: [
    progress(({ step, stepsPerEpoch, logs }) => {
      if (step % 200 !== 0 && step !== stepsPerEpoch) return;
      console.log(
        `step ${step}/${stepsPerEpoch}  loss ${logs["loss"]?.toFixed(4)}  accuracy ${logs["accuracy"]?.toFixed(4)}`,
      );
    }),
  ],
});
const seconds = (performance.now() - started) / 1000;
console.log(`${Math.round((train.y.shape[0] ?? 0) / seconds)} images/s`);
console.log("test:", await learner.evaluate(test.x, test.y));
