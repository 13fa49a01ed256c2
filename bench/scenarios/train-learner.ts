/** Trains the first lesson's network with our learner and prints one JSON line: ours.ts SEED EPOCHS DATA */
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
  rescaling,
  sequential,
} from "@modelyard/learn";
import { onnxRuntimeExecutor } from "@modelyard/learn/onnxruntime-node";

const [seed = "1", epochs = "1", folder = ""] = process.argv.slice(2);
const read = (name: string, headerBytes: number): Uint8Array =>
  gunzipSync(readFileSync(`${folder}/${name}`)).subarray(headerBytes);
const load = (part: string): { x: DataArray; y: DataArray } => {
  const labels = read(`${part}-labels-idx1-ubyte.gz`, 8);
  const pixels = read(`${part}-images-idx3-ubyte.gz`, 16);
  return { x: { shape: [labels.length, 28, 28, 1], values: pixels }, y: { shape: [labels.length], values: labels } };
};
const train = load("train");
const test = load("t10k");
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
  loss: "sparse_categorical_crossentropy",
  metrics: ["accuracy"],
  seed: Number(seed),
  executor: onnxRuntimeExecutor(),
});
const imagesPerSecond: number[] = [];
const testAccuracy: number[] = [];
for (let epoch = 0; epoch < Number(epochs); epoch++) {
  const started = performance.now();
  await learner.fit(train.x, train.y, { batchSize: 32 });
  imagesPerSecond.push(60_000_000 / (performance.now() - started));
  testAccuracy.push((await learner.evaluate(test.x, test.y))["accuracy"] ?? 0);
}
const peakRssMB = process.resourceUsage().maxRSS / 1024;
console.log(JSON.stringify({ imagesPerSecond, testAccuracy, peakRssMB }));
