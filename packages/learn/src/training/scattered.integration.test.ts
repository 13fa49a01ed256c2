import { expect, test } from "vitest";
import { compile, dense, embedding, flatten, input, sequential } from "../index.ts";
import { onnxRuntimeExecutor } from "../onnxruntime-node/index.ts";

const words = 6;
const definition = sequential([
  input({ shape: [3] }),
  embedding({ inputDim: words, outputDim: 2, name: "words" }),
  flatten(),
  dense({ units: 1, name: "out" }),
]);

// Word 4 comes three times, word 5 never.
const x = { shape: [3, 3], values: Float32Array.of(0, 4, 4, 1, 2, 4, 3, 0, 2) };
const y = { shape: [3, 1], values: Float32Array.of(1, -1, 2) };

test.each([1, 2])("rows of an embedding get the sum of their gradients, with %i workers", async (workers) => {
  const executor = onnxRuntimeExecutor({ workers, intraOpNumThreads: 1 });
  const optimizer = { name: "sgd", learningRate: 1 } as const;
  await using learner = await compile(definition, { loss: "mean_squared_error", optimizer, executor });
  const [table, kernel, bias] = ["words/embeddings", "out/kernel", "out/bias"].map((name) => {
    return Float64Array.from(learner.getWeight(name).values);
  }) as [Float64Array, Float64Array, Float64Array];
  const expected = Float64Array.from(table);
  for (const [row, target] of y.values.entries()) {
    const numbers = Array.from(x.values.subarray(row * 3, row * 3 + 3));
    const embedded = numbers.flatMap((word) => [table[word * 2] as number, table[word * 2 + 1] as number]);
    const prediction = embedded.reduce((sum, value, at) => sum + value * (kernel[at] as number), bias[0] as number);
    const slope = (2 * (prediction - target)) / 3;
    for (const at of embedded.keys()) {
      const place = (numbers[at >> 1] as number) * 2 + (at & 1);
      expected[place] = (expected[place] as number) - slope * (kernel[at] as number);
    }
  }
  await learner.fit(x, y, { batchSize: 3, epochs: 1, shuffle: false });
  const trained = learner.getWeight("words/embeddings").values;
  for (const [at, value] of expected.entries()) expect(trained[at]).toBeCloseTo(value, 5);
  expect(Array.from(trained.subarray(10))).toEqual(Array.from(Float32Array.from(table.subarray(10))));
});
