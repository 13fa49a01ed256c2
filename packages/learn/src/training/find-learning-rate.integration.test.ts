import { describe, expect, test } from "vitest";
import { dense, findLearningRate, input, sequential, terminateOnNan } from "../index.ts";
import { onnxRuntimeExecutor } from "../onnxruntime-node/index.ts";
import type { OptimizerConfig } from "../optimizers/index.ts";
import { compile, type Learner } from "./learner.ts";

const executor = onnxRuntimeExecutor({ intraOpNumThreads: 1 });
const x = { shape: [64, 3], values: Float32Array.from({ length: 192 }, (_, i) => Math.sin(i * 1.3)) };
const y = { shape: [64, 1], values: Float32Array.from({ length: 64 }, (_, i) => Math.sin(i * 3.9) * 2 + 1) };
const make = (optimizer: OptimizerConfig): Promise<Learner> =>
  compile(sequential([input({ shape: [3] }), dense({ units: 1 })]), { loss: "mse", optimizer, executor });

describe("the range test", () => {
  test("gives rates and losses, ends where the loss explodes, and leaves the learner as it was", async () => {
    await using learner = await make({ name: "sgd", momentum: 0.9 });
    await using untouched = await make({ name: "sgd", momentum: 0.9 });
    const before = learner.exportOnnx();
    const found = await findLearningRate(learner, { x, y }, { minimum: 1e-4, maximum: 1e4, steps: 60, batchSize: 16 });
    expect(found.rates[0]).toBeCloseTo(1e-4, 10);
    expect((found.rates[1] ?? 0) / (found.rates[0] ?? 1)).toBeCloseTo(1e8 ** (1 / 59), 6);
    expect(found.rates.length).toBeLessThan(60);
    expect(found.losses.length).toBe(found.rates.length);
    expect(found.suggested).toBeGreaterThan(1e-4);
    expect(found.suggested).toBeLessThan(1);
    expect(found.steepest).toBeGreaterThan(1e-4);
    expect(learner.exportOnnx()).toEqual(before);
    const options = { epochs: 3, batchSize: 16 };
    const [a, b] = [await learner.fit(x, y, options), await untouched.fit(x, y, options)];
    expect(a.epochs).toEqual(b.epochs);
    expect(learner.exportOnnx()).toEqual(untouched.exportOnnx());
  });

  test("refuses a range that does not rise", async () => {
    await using learner = await make({ name: "sgd" });
    await expect(findLearningRate(learner, { x, y }, { minimum: 1, maximum: 0.1 })).rejects.toThrow(/1, 0.1/);
  });
});

describe("a loss that is not finite", () => {
  const explosive: OptimizerConfig = { name: "sgd", learningRate: 1e30 };
  test("fails the training, naming the step", async () => {
    await using learner = await make(explosive);
    await expect(learner.fit(x, y, { epochs: 9, batchSize: 8 })).rejects.toThrow(
      /Epoch \d+, step \d+: The loss became/,
    );
  });
  test("ends it quietly under terminateOnNan, and the history tells why", async () => {
    await using learner = await make(explosive);
    const { stopped, state } = await learner.fit(x, y, { epochs: 9, batchSize: 8, callbacks: [terminateOnNan()] });
    expect(stopped).toMatch(/Epoch 1, step \d+: The loss became/);
    expect(state.stopped).toBe(stopped);
  });
});
