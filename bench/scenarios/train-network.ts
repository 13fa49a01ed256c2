/** Trains one of the networks on random samples and prints one JSON line: train-network.ts NETWORK BATCH STEPS */
import { compile, createRandom, type DataArray } from "@modelyard/learn";
import { onnxRuntimeExecutor } from "@modelyard/learn/onnxruntime-node";
import { type Network, networks } from "./networks.ts";

const samples = 4096;
const [name = "cnn", batch = "32", steps = "100"] = process.argv.slice(2);
const batchSize = Number(batch);
const network: Network = networks[name as keyof typeof networks];
const random = createRandom(1);
const draw = (shape: readonly number[], value: () => number): DataArray => {
  const count = shape.reduce((product, length) => product * length, 1);
  return { shape, values: Float32Array.from({ length: count }, value) };
};
const { words } = network;
const uniform = (): number => random.uniform();
const x = draw([samples, ...network.sample], words === undefined ? uniform : () => Math.floor(uniform() * words));
const y = draw([samples], () => Math.floor(uniform() * network.classes));
const first = (data: DataArray, count: number): DataArray => {
  const width = data.values.length / samples;
  return { shape: [count, ...data.shape.slice(1)], values: data.values.slice(0, count * width) };
};
await using learner = await compile(network.definition(), {
  loss: "sparse_categorical_crossentropy",
  executor: onnxRuntimeExecutor(),
});
await learner.fit(first(x, batchSize), first(y, batchSize), { batchSize });
// Counted from the start of the process.
const secondsToFirstStep = performance.now() / 1000;
const warm = Math.min(samples, 10 * batchSize);
await learner.fit(first(x, warm), first(y, warm), { batchSize });
const epochs = Math.max(1, Math.round((Number(steps) * batchSize) / samples));
const started = performance.now();
await learner.fit(x, y, { batchSize, epochs });
const samplesPerSecond = (1000 * epochs * samples) / (performance.now() - started);
const peakRssMB = process.resourceUsage().maxRSS / 1024;
console.log(JSON.stringify({ samplesPerSecond, secondsToFirstStep, peakRssMB, lanes: learner.weights.lanes }));
