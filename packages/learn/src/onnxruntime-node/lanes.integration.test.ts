import { describe, expect, test } from "vitest";
import {
  batchNormalization,
  compile,
  conv2d,
  type Learner,
  dense,
  dropout,
  flatten,
  input,
  maxPooling2d,
  sequential,
} from "../index.ts";
import { createRandom } from "../random.ts";
import type { Loss } from "../losses/index.ts";
import { onnxRuntimeExecutor } from "./index.ts";

const samples = 52;
const random = createRandom(3);
const x = { shape: [samples, 8, 8, 1], values: Float32Array.from({ length: samples * 64 }, () => random.uniform()) };
const y = { shape: [samples], values: Int32Array.from({ length: samples }, (_, i) => i % 3) };

interface Kind {
  readonly loss?: Loss;
  readonly normalized?: boolean;
}

const learnerOf = (workers: number, { loss = "sparse_categorical_crossentropy", normalized = false }: Kind = {}) =>
  compile(
    sequential([
      input({ shape: [8, 8, 1] }),
      conv2d({ filters: 4, kernelSize: 3, activation: "relu" }),
      ...(normalized ? [batchNormalization({ name: "norm" })] : []),
      maxPooling2d({ poolSize: 2 }),
      flatten(),
      dropout({ rate: 0.25 }),
      dense({ units: 3, activation: "softmax", name: "out" }),
    ]),
    { loss, metrics: ["accuracy"], seed: 5, executor: onnxRuntimeExecutor({ workers, intraOpNumThreads: 1 }) },
  );

// The last batch of each epoch has 4 samples, fewer than an equal share of five lanes.
const options = { batchSize: 16, epochs: 2 } as const;

const weightsOf = (learner: Learner): number[] =>
  learner.weights.names().flatMap((name) => Array.from(learner.getWeight(name).values));

const train = async (workers: number, kind: Kind = {}): Promise<{ loss: readonly number[]; weights: number[] }> => {
  await using learner = await learnerOf(workers, kind);
  const { epochs } = await learner.fit(x, y, options);
  return { loss: epochs["loss"] ?? [], weights: weightsOf(learner) };
};

const largestDifference = (one: readonly number[], other: readonly number[]): number =>
  one.reduce((largest, value, at) => Math.max(largest, Math.abs(value - (other[at] ?? Number.NaN))), 0);

describe("a batch computed in parts at the same time", () => {
  test.each([2, 3, 5])("trains with %i workers as with one, but for rounding", async (workers) => {
    const [alone, parallel] = [await train(1), await train(workers)];
    expect(largestDifference(alone.weights, parallel.weights)).toBeLessThan(1e-4);
    expect(largestDifference(alone.loss, parallel.loss)).toBeLessThan(1e-5);
  });

  test("gives the same bits for the same number of workers", async () => {
    const [first, second] = [await train(2, { normalized: true }), await train(2, { normalized: true })];
    expect(second).toEqual(first);
  });

  test("goes on exactly from a state that was taken inside an epoch", async () => {
    await using whole = await learnerOf(2);
    await whole.fit(x, y, options);
    await using broken = await learnerOf(2);
    const signal = { aborted: false };
    const stop = {
      name: "stop",
      onStepEnd: ({ epoch, step }: { epoch: number; step: number }) => {
        signal.aborted = epoch === 2 && step === 2;
      },
    };
    const { state } = await broken.fit(x, y, { ...options, callbacks: [stop], signal });
    await using resumed = await learnerOf(2);
    resumed.restore(state);
    await resumed.fit(x, y, options);
    expect(weightsOf(resumed)).toEqual(weightsOf(whole));
  });

  test("measures BatchNormalization's statistics as the mean of the parts'", async () => {
    await using learner = await learnerOf(2, { normalized: true });
    await learner.fit(x, y, { batchSize: samples, epochs: 1, shuffle: false });
    await using alone = await learnerOf(1, { normalized: true });
    await alone.fit(x, y, { batchSize: samples, epochs: 1, shuffle: false });
    const means = [learner, alone].map((one) => Array.from(one.getWeight("norm/moving_mean").values));
    expect(largestDifference(means[0] ?? [], means[1] ?? [])).toBeLessThan(1e-6);
    expect(means[0]?.some((value) => value !== 0)).toBe(true);
  });

  test("a loss that is not a mean over samples is computed over the whole batch", async () => {
    await using learner = await learnerOf(2, { loss: { name: "sparse_categorical_crossentropy", ignoreClass: 0 } });
    expect(learner.weights.lanes).toBe(1);
  });

  test("is chosen for models that are worth it", () => {
    const [one, two] = [1, 2].map((threads) => onnxRuntimeExecutor({ threads }));
    expect(two?.spread?.({ operations: 1e9, weights: 1e5 })).toEqual({ lanes: 2, threads: 1 });
    expect(two?.spread?.({ operations: 1e7, weights: 1e5 })).toEqual({ lanes: 1, threads: 1 });
    expect(one?.spread?.({ operations: 1e12, weights: 1e5 })).toEqual({ lanes: 1, threads: 1 });
  });

  test("still predicts and evaluates", async () => {
    await using learner = await learnerOf(2);
    await using alone = await learnerOf(1);
    expect((await learner.predict(x)).values).toEqual((await alone.predict(x)).values);
    expect(await learner.evaluate(x, y)).toEqual(await alone.evaluate(x, y));
  });

  test.each([0, 1.5, 257])("refuses %d workers", (workers) => {
    expect(() => onnxRuntimeExecutor({ workers })).toThrow(/workers/);
  });

  test("says that the engine refused a graph, from its own thread too", async () => {
    const executor = onnxRuntimeExecutor({ workers: 2 });
    await expect(executor.load(new Uint8Array([1, 2, 3]), { lane: 1 })).rejects.toThrow(
      /ONNX Runtime refused the graph/,
    );
  });
});
