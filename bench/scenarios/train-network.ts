/** Trains one of the networks on random samples and prints one JSON line: train-network.ts NETWORK BATCH STEPS */
import { compile, createRandom, type DataArray } from "@modelyard/learn";
import { onnxRuntimeExecutor } from "@modelyard/learn/onnxruntime-node";
import { type Network, networks } from "./networks.ts";

const samples = 4096;
const [name = "cnn", batch = "32", steps = "100"] = process.argv.slice(2);
const batchSize = Number(batch);
const network: Network = networks[name as keyof typeof networks];
const random = createRandom(1);
const draw = (shape: readonly number[], element: () => number): DataArray => {
  const count = shape.reduce((product, length) => product * length, 1);
  return { shape, values: Float32Array.from({ length: count }, element) };
};
const { words } = network;
const uniform = (): number => random.uniform();
const value = words === undefined ? uniform : (): number => Math.floor(uniform() * words);
const data = (count: number): readonly [DataArray, DataArray] => [
  draw([count, ...network.sample], value),
  draw([count], () => Math.floor(uniform() * network.classes)),
];
await using learner = await compile(network.definition(), {
  loss: "sparse_categorical_crossentropy",
  executor: onnxRuntimeExecutor(),
});
await learner.fit(...data(batchSize), { batchSize });
// Counted from the start of the process.
const secondsToFirstStep = performance.now() / 1000;
await learner.fit(...data(10 * batchSize), { batchSize });
const [x, y] = data(samples);
const epochs = Math.max(1, Math.round((Number(steps) * batchSize) / samples));
const started = performance.now();
await learner.fit(x, y, { batchSize, epochs });
const samplesPerSecond = (1000 * epochs * samples) / (performance.now() - started);
const peakRssMB = process.resourceUsage().maxRSS / 1024;
console.log(JSON.stringify({ samplesPerSecond, secondsToFirstStep, peakRssMB, lanes: learner.weights.lanes }));
