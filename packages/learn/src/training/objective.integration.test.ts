import { describe, expect, test } from "vitest";
import {
  batchNormalization,
  decodeModel,
  dense,
  embedding,
  input,
  model,
  type ModelDefinition,
  sequential,
} from "../index.ts";
import { onnxRuntimeExecutor } from "../onnxruntime-node/index.ts";
import type { OptimizerConfig } from "../optimizers/index.ts";
import { createRandom } from "../random.ts";
import type { DataArray } from "./data.ts";
import { compile, type CompileOptions, type Learner } from "./learner.ts";

const executor = onnxRuntimeExecutor({ intraOpNumThreads: 1 });
const random = createRandom(11);
const data = (...shape: number[]): DataArray => ({
  shape,
  values: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
});
const sgd: OptimizerConfig = { name: "sgd", learningRate: 0.1 };
const make = (definition: ModelDefinition, options: Omit<CompileOptions, "executor">): Promise<Learner> =>
  compile(definition, { optimizer: sgd, seed: 5, ...options, executor });

const close = (actual: ArrayLike<number>, expected: ArrayLike<number>, digits = 5): void => {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < actual.length; i++) expect(actual[i]).toBeCloseTo(expected[i] ?? NaN, digits);
};

const linear = (options: Partial<Parameters<typeof dense>[0]> = {}): ModelDefinition =>
  sequential([input({ shape: [3] }), dense({ units: 1, useBias: false, ...options })]);

const [x, y] = [data(8, 3), data(8, 1)];
const weights = Float32Array.from({ length: 8 }, (_, i) => i / 2);
const row = (i: number): Float32Array => (x.values as Float32Array).subarray(3 * i, 3 * i + 3);

/** Gradient of Σ wᵢ (k·xᵢ − yᵢ)² / 8 with respect to the kernel k. */
const gradient = (kernel: Float32Array, sampleWeights: ArrayLike<number>): number[] => {
  const sums = [0, 0, 0];
  for (let i = 0; i < 8; i++) {
    const error = row(i).reduce((sum, value, k) => sum + value * (kernel[k] ?? 0), 0) - (y.values[i] ?? 0);
    for (let k = 0; k < 3; k++) sums[k] = (sums[k] ?? 0) + (2 * (sampleWeights[i] ?? 1) * error * (row(i)[k] ?? 0)) / 8;
  }
  return sums;
};

describe("weights of samples and classes multiply the losses, which are divided by the size of the batch", () => {
  test("a step follows the weighted gradient, and evaluate the weighted loss", async () => {
    await using learner = await make(linear(), { loss: "mse" });
    const before = learner.getWeight("dense/kernel").values;
    const sampleWeight = { shape: [8], values: weights };
    const { loss } = await learner.evaluate(x, y, { sampleWeight });
    const errors = Array.from({ length: 8 }, (_, i) => {
      const prediction = row(i).reduce((sum, value, k) => sum + value * (before[k] ?? 0), 0);
      return ((weights[i] ?? 0) * (prediction - (y.values[i] ?? 0)) ** 2) / 8;
    });
    expect(loss).toBeCloseTo(
      errors.reduce((a, b) => a + b),
      5,
    );
    const history = await learner.fit(x, y, { batchSize: 8, sampleWeight });
    expect(history.epochs["loss"]?.[0]).toBeCloseTo(loss ?? NaN, 5);
    const expected = gradient(before, weights).map((g, k) => (before[k] ?? 0) - 0.1 * g);
    close(learner.getWeight("dense/kernel").values, expected);
  });

  test.each([
    ["class numbers", "sparse_categorical_crossentropy", [8], [0, 1, 2, 0, 1, 2, 2, 1]],
    [
      "one-hot rows",
      "categorical_crossentropy",
      [8, 3],
      [0, 1, 2, 0, 1, 2, 2, 1].flatMap((c) => [0, 1, 2].map((k) => (k === c ? 1 : 0))),
    ],
  ] as const)("class weights of %s are the weights of their samples", async (_, loss, shape, values) => {
    const definition = sequential([input({ shape: [3] }), dense({ units: 3, activation: "softmax" })]);
    const target = { shape, values: [...values] };
    const sampleWeight = { shape: [8], values: [0.5, 3, 1, 0.5, 3, 1, 1, 3] };
    await using byClass = await make(definition, { loss });
    await using bySample = await make(definition, { loss });
    await byClass.fit(x, target, { epochs: 2, batchSize: 3, classWeight: { 0: 0.5, 1: 3 } });
    await bySample.fit(x, target, { epochs: 2, batchSize: 3, sampleWeight });
    expect(byClass.exportOnnx()).toEqual(bySample.exportOnnx());
  });

  test("weights of both kinds, or negative ones, are refused", async () => {
    await using learner = await make(linear(), { loss: "mse" });
    const sampleWeight = { shape: [8], values: weights };
    await expect(learner.fit(x, y, { sampleWeight, classWeight: { 0: 1 } })).rejects.toThrow(
      /one output and no sample weights/,
    );
    await expect(learner.fit(x, y, { sampleWeight: { shape: [8], values: weights.map((w) => -w) } })).rejects.toThrow(
      /sample 1/,
    );
    await expect(learner.fit(x, y, { sampleWeight: { shape: [7], values: weights.slice(1) } })).rejects.toThrow(/8.*7/);
  });
});

test.each([
  [{ epochs: -1 }, /epochs is -1/],
  [{ epochs: 1.5 }, /epochs is 1.5/],
  [{ batchSize: 0 }, /batchSize is 0/],
  [{ batchSize: Number.NaN }, /batchSize is NaN/],
  [{ validationSplit: 1 }, /validationSplit is 1/],
])("%j is refused before anything is trained", async (options, message) => {
  await using learner = await make(linear(), { loss: "mse" });
  const before = learner.exportOnnx();
  await expect(learner.fit(x, y, options)).rejects.toThrow(message);
  expect(learner.exportOnnx()).toEqual(before);
});

describe("several inputs and outputs", () => {
  const a = input({ shape: [3], name: "a" });
  const b = input({ shape: [2], name: "b" });
  const left = dense({ units: 1, name: "left" })(a);
  const right = dense({ units: 2, name: "right" })(b);
  const both = model({ inputs: [a, b], outputs: [left, right] });
  const [xb, yb] = [data(8, 2), data(8, 2)];
  const options = {
    loss: { left: "mse", right: { name: "huber", delta: 0.5 } },
    lossWeights: { left: 2, right: 0.5 },
    metrics: { left: ["mae"], right: ["rmse", { name: "mean_absolute_error", label: "distance" }] },
  } as const satisfies Omit<CompileOptions, "executor">;

  test("train as if each output were trained alone at its own rate", async () => {
    await using together = await make(both, options);
    const single = (units: number, name: string): ModelDefinition =>
      sequential([input({ shape: [units === 1 ? 3 : 2] }), dense({ units, name })]);
    await using alone = await make(single(1, "left"), { loss: "mse", optimizer: { ...sgd, learningRate: 0.2 } });
    await using other = await make(single(2, "right"), {
      loss: options.loss.right,
      optimizer: { ...sgd, learningRate: 0.05 },
    });
    await together.fit({ a: x, b: xb }, [y, yb], { epochs: 3, batchSize: 3, shuffle: false });
    await alone.fit(x, y, { epochs: 3, batchSize: 3, shuffle: false });
    await other.fit(xb, yb, { epochs: 3, batchSize: 3, shuffle: false });
    for (const part of ["kernel", "bias"]) {
      close(together.getWeight(`left/${part}`).values, alone.getWeight(`left/${part}`).values);
      close(together.getWeight(`right/${part}`).values, other.getWeight(`right/${part}`).values);
    }
  });

  test("report the total, each loss and each metric by Keras' names", async () => {
    await using learner = await make(both, options);
    const { epochs } = await learner.fit([x, xb], [y, yb], {
      batchSize: 4,
      validationData: { x: [x, xb], y: { left: y, right: yb } },
    });
    const names = [
      "loss",
      "left_loss",
      "right_loss",
      "left_mean_absolute_error",
      "right_root_mean_squared_error",
      "right_distance",
    ];
    expect(Object.keys(epochs)).toEqual([...names, ...names.map((name) => `val_${name}`)]);
    const last = (name: string): number => epochs[name]?.at(-1) ?? NaN;
    expect(last("val_loss")).toBeCloseTo(2 * last("val_left_loss") + 0.5 * last("val_right_loss"), 5);
    const { left } = await learner.predictAll({ a: x, b: xb });
    const mae = (left?.values ?? new Float32Array()).reduce(
      (sum, value, i) => sum + Math.abs(value - (y.values[i] ?? 0)) / 8,
      0,
    );
    expect(last("val_left_mean_absolute_error")).toBeCloseTo(mae, 5);
    await expect(learner.predict([x, xb])).rejects.toThrow(/predictAll/);
    const { graph } = decodeModel(learner.exportOnnx());
    expect(graph.inputs.map(({ name }) => name)).toEqual(["a", "b"]);
    expect(graph.outputs.map(({ name }) => name)).toEqual(["left", "right"]);
  });

  test("an output without a loss is not trained; a name that does not exist is refused", async () => {
    await using learner = await make(both, { loss: { right: "mse" } });
    const before = learner.getWeight("left/kernel").values;
    await learner.fit([x, xb], yb, { epochs: 2 });
    expect(learner.getWeight("left/kernel").values).toEqual(before);
    await expect(make(both, { loss: { middle: "mse" } })).rejects.toThrow(/"middle".*left, right/);
    await expect(learner.fit({ a: x }, yb)).rejects.toThrow(/each of a, b/);
  });
});

describe("regularizers join the loss, constraints hold, frozen layers stay", () => {
  test("l1 and l2 of kernel and activity are added, and their gradient is followed", async () => {
    const regularized = linear({
      kernelRegularizer: { name: "l1_l2", l1: 0.1, l2: 0.2 },
      activityRegularizer: { name: "l2", l2: 0.01 },
    });
    await using plain = await make(linear(), { loss: "mse" });
    await using learner = await make(regularized, { loss: "mse" });
    const kernel = learner.getWeight("dense/kernel").values;
    const { values: predicted } = await learner.predict(x);
    const squares = (of: Float32Array): number => of.reduce((sum, value) => sum + value * value, 0);
    const penalty = kernel.reduce((sum, value) => sum + 0.1 * Math.abs(value), 0) + 0.2 * squares(kernel);
    const [bare, loss] = [await plain.evaluate(x, y), await learner.evaluate(x, y)];
    expect(loss["loss"]).toBeCloseTo((bare["loss"] ?? 0) + penalty + 0.01 * squares(predicted), 5);
    await learner.fit(x, y, { batchSize: 8 });
    const activity = [0, 1, 2].map((k) =>
      predicted.reduce((sum, value, i) => sum + 0.02 * value * (row(i)[k] ?? 0), 0),
    );
    const expected = gradient(kernel, []).map((g, k) => {
      const w = kernel[k] ?? 0;
      return w - 0.1 * (g + 0.1 * Math.sign(w) + 0.4 * w + (activity[k] ?? 0));
    });
    close(learner.getWeight("dense/kernel").values, expected);
  });

  test("rows that are orthogonal are not penalised, equal rows with the whole factor", async () => {
    const orthogonal = sequential([
      input({ shape: [2] }),
      dense({ units: 2, useBias: false, kernelRegularizer: { name: "orthogonal", factor: 0.5 } }),
    ]);
    await using learner = await make(orthogonal, { loss: "mse" });
    const zero = { shape: [4, 2], values: new Float32Array(8) };
    const lossOf = async (kernel: number[]): Promise<number> => {
      learner.setWeight("dense/kernel", kernel);
      return (await learner.evaluate(zero, zero))["loss"] ?? NaN;
    };
    expect(await lossOf([3, 0, 0, 2])).toBeCloseTo(0, 6);
    expect(await lossOf([3, 4, 6, 8])).toBeCloseTo(0.5, 6);
  });

  test("a constraint holds after every step", async () => {
    await using learner = await make(linear({ kernelConstraint: { name: "max_norm", maxValue: 0.3 } }), {
      loss: "mse",
    });
    await learner.fit(x, y, { epochs: 4, batchSize: 4 });
    expect(Math.hypot(...learner.getWeight("dense/kernel").values)).toBeLessThanOrEqual(0.3001);
  });

  test("a frozen layer keeps its weights, a frozen normalisation its statistics, and the rest learns", async () => {
    const frozen = sequential([
      input({ shape: [3] }),
      dense({ units: 4, trainable: false, name: "still", kernelRegularizer: "l2" }),
      batchNormalization({ trainable: false, name: "norm" }),
      dense({ units: 1, name: "head" }),
    ]);
    await using learner = await make(frozen, { loss: "mse" });
    const before = new Map(learner.weights.names().map((name) => [name, learner.getWeight(name).values]));
    const { loss } = await learner.evaluate(x, y);
    const { epochs } = await learner.fit(x, y, { batchSize: 8 });
    // In training as in evaluation the moving statistics are used, and frozen weights are not penalised.
    expect(epochs["loss"]?.[0]).toBeCloseTo(loss ?? NaN, 5);
    for (const [name, values] of before) {
      const same = learner.getWeight(name).values.every((value, i) => value === values[i]);
      expect([name, same]).toEqual([name, !name.startsWith("head")]);
    }
  });

  test.each([
    [{ kernelRegularizer: "l3" }, /kernelRegularizer/],
    [{ kernelConstraint: { name: "max_norm", maxValue: -1 } }, /kernelConstraint/],
    [{ gammaRegularizer: "l2" }, /no weight "gamma".*kernel/],
    [{ activityRegularizer: 3 }, /activityRegularizer/],
  ])("%j is refused, naming layer and argument", async (wrong, message) => {
    const definition = {
      kind: "sequential",
      layers: [
        { layer: "Input", shape: [3] },
        { layer: "Dense", units: 1, ...wrong },
      ],
    };
    await expect(make(definition as ModelDefinition, { loss: "mse" })).rejects.toThrow(message);
  });
});

describe("losses over sequences", () => {
  test("padded steps do not count: the loss is the mean over the others", async () => {
    const tagger = sequential([
      input({ shape: [4] }),
      embedding({ inputDim: 5, outputDim: 3, maskZero: true }),
      dense({ units: 2, activation: "softmax" }),
    ]);
    await using learner = await make(tagger, { loss: "sparse_categorical_crossentropy" });
    const words = { shape: [2, 4], values: [1, 2, 0, 0, 3, 4, 1, 0] };
    const tags = { shape: [2, 4], values: [0, 1, 1, 0, 1, 0, 0, 1] };
    const { values } = await learner.predict(words);
    const losses = words.values.flatMap((word, i) =>
      word === 0 ? [] : [-Math.log(values[2 * i + (tags.values[i] ?? 0)] ?? NaN)],
    );
    const mean = losses.reduce((a, b) => a + b) / losses.length;
    expect((await learner.evaluate(words, tags))["loss"]).toBeCloseTo(mean, 5);
    const { epochs } = await learner.fit(words, tags, { batchSize: 2 });
    expect(epochs["loss"]?.[0]).toBeCloseTo(mean, 5);
  });

  test("ctc trains a model to read labels", async () => {
    const reader = sequential([input({ shape: [6, 4] }), dense({ units: 4 })]);
    await using learner = await make(reader, {
      loss: { name: "ctc", labelLength: 3 },
      optimizer: { name: "adam", learningRate: 0.1 },
    });
    const frames = data(5, 6, 4);
    const labels = { shape: [5, 3], values: [1, 2, 0, 3, 0, 0, 2, 2, 1, 1, 3, 2, 2, 0, 0] };
    const { epochs } = await learner.fit(frames, labels, { epochs: 30, batchSize: 5 });
    expect(epochs["loss"]?.at(-1)).toBeLessThan((epochs["loss"]?.[0] ?? NaN) / 2);
    await expect(learner.fit(frames, { ...labels, values: labels.values.map((v) => v * 2) })).rejects.toThrow(/0 to 3/);
  });
});
