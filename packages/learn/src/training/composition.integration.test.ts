import { describe, expect, test } from "vitest";
import {
  add,
  batchNormalization,
  concatenate,
  conv2d,
  dense,
  dropout,
  flatten,
  input,
  model,
  type ModelDefinition,
  outputOf,
  parseDefinition,
  rescaling,
  sequential,
  subModel,
} from "../index.ts";
import { onnxRuntimeExecutor } from "../onnxruntime-node/index.ts";
import { createRandom } from "../random.ts";
import type { DataArray } from "./data.ts";
import { compile, type Learner } from "./learner.ts";

const executor = onnxRuntimeExecutor({ intraOpNumThreads: 1 });
const random = createRandom(12);
const data = (...shape: number[]): DataArray => ({
  shape,
  values: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
});
const make = (definition: ModelDefinition): Promise<Learner> =>
  compile(JSON.parse(JSON.stringify(definition)) as ModelDefinition, {
    optimizer: { name: "sgd", learningRate: 0.05, momentum: 0.9 },
    loss: "mse",
    executor,
  });
const close = (actual: Float32Array, expected: Float32Array): void => {
  expect(actual.length).toBe(expected.length);
  actual.forEach((value, i) => expect(value).toBeCloseTo(expected[i] ?? NaN, 5));
};

describe("a layer that is called several times has one set of weights", () => {
  test("f(x) + f(x) learns like 2 f(x)", async () => {
    const [x, y] = [data(12, 3), data(12, 2)];
    const shared = dense({ units: 2, name: "f", activation: "tanh", kernelRegularizer: "l2" });
    const first = input({ shape: [3] });
    await using twice = await make(model({ inputs: [first], outputs: [add()(shared(first), shared(first))] }));
    const one = input({ shape: [3] });
    const doubled = rescaling({ scale: 2 })(
      dense({ units: 2, name: "f", activation: "tanh", kernelRegularizer: "l2" })(one),
    );
    await using once = await make(model({ inputs: [one], outputs: [doubled] }));
    expect(twice.parameterCount).toBe(8);
    const options = { epochs: 3, batchSize: 5, shuffle: false };
    const [a, b] = [await twice.fit(x, y, options), await once.fit(x, y, options)];
    close(twice.getWeight("f/kernel").values, once.getWeight("f/kernel").values);
    expect(a.epochs["loss"]?.at(-1)).toBeCloseTo(b.epochs["loss"]?.at(-1) ?? NaN, 5);
  });

  test("whatever layout its inputs lie in", async () => {
    const image = input({ shape: [4, 4, 2], name: "image" });
    const line = input({ shape: [12], name: "line" });
    const features = flatten({ name: "features" })(conv2d({ filters: 3, kernelSize: 3, name: "conv" })(image));
    const shared = dense({ units: 5, name: "shared" });
    await using learner = await make(model({ inputs: [image, line], outputs: [shared(features), shared(line)] }));
    await using inside = await make(model({ inputs: [image], outputs: [features] }));
    for (const name of inside.weights.names()) inside.setWeight(name, learner.getWeight(name).values);
    const images = data(6, 4, 4, 2);
    const lines = await inside.predict(images);
    const names = learner.model.outputs;
    const all = await learner.predictAll({ image: images, line: lines });
    close(all[names[0] ?? ""]?.values ?? new Float32Array(), all[names[1] ?? ""]?.values ?? new Float32Array());
    await learner.fit([images, lines], [data(6, 5), data(6, 5)], { epochs: 1 });
  });

  test("its moving statistics take in every use", async () => {
    const [a, b] = [input({ shape: [2], name: "a" }), input({ shape: [2], name: "b" })];
    const norm = batchNormalization({ name: "norm", momentum: 0.5 });
    await using learner = await make(model({ inputs: [a, b], outputs: [add()(norm(a), norm(b))] }));
    const ones = { shape: [4, 2], values: new Float32Array(8).fill(1) };
    const threes = { shape: [4, 2], values: new Float32Array(8).fill(3) };
    await learner.fit([ones, threes], data(4, 2), { batchSize: 4 });
    expect([...learner.getWeight("norm/moving_mean").values]).toEqual([1.75, 1.75]);
  });

  test("shapes that its weights do not fit are refused", () => {
    const shared = dense({ units: 2, name: "f" });
    const [a, b] = [input({ shape: [3] }), input({ shape: [4] })];
    const wrong = model({ inputs: [a, b], outputs: [add()(shared(a), shared(b))] });
    return expect(make(wrong)).rejects.toThrow(/f.*\[4\].*does not fit/);
  });
});

describe("a model used as a layer", () => {
  const encoder = sequential(
    [input({ shape: [6] }), dense({ units: 4, activation: "relu" }), dropout({ rate: 0.2 }), batchNormalization()],
    { name: "encoder" },
  );
  const x = data(20, 6);

  test("is the same as its layers in its place", async () => {
    const inlined = sequential([...encoder.layers, dense({ units: 1, name: "head" })]);
    await using nested = await make(
      sequential([input({ shape: [6] }), subModel(encoder), dense({ units: 1, name: "head" })]),
    );
    await using flat = await make(inlined);
    for (const name of flat.weights.names()) {
      nested.setWeight(name.startsWith("head") ? name : `encoder/${name}`, flat.getWeight(name).values);
    }
    expect(nested.weights.names().length).toBe(flat.weights.names().length);
    close((await nested.predict(x)).values, (await flat.predict(x)).values);
    expect(nested.summary()).toMatch(/encoder\/dense \(Dense\)/);
    const { epochs } = await nested.fit(x, data(20, 1), { epochs: 2 });
    expect(epochs["loss"]?.every(Number.isFinite)).toBe(true);
  });

  test("shares its weights when it is used twice, and stays still when it is frozen", async () => {
    const encode = subModel(encoder, { trainable: false });
    const [a, b] = [input({ shape: [6], name: "a" }), input({ shape: [6], name: "b" })];
    const head = dense({ units: 1, name: "head" })(concatenate()(encode(a), encode(b)));
    await using learner = await make(model({ inputs: [a, b], outputs: [head] }));
    const frozen = learner.weights.names().filter((name) => name.startsWith("encoder/"));
    expect(frozen).toEqual(
      [
        "dense/kernel",
        "dense/bias",
        "batch_normalization/gamma",
        "batch_normalization/beta",
        "batch_normalization/moving_mean",
        "batch_normalization/moving_variance",
      ].map((name) => `encoder/${name}`),
    );
    const before = frozen.map((name) => learner.getWeight(name).values);
    await learner.fit([x, data(20, 6)], data(20, 1), { epochs: 2 });
    expect(frozen.map((name) => learner.getWeight(name).values)).toEqual(before);
  });

  test("may have several outputs, and models inside it", async () => {
    const inner = input({ shape: [6], name: "in" });
    const hidden = subModel(encoder)(inner);
    const two = model({
      inputs: [inner],
      outputs: [dense({ units: 2, name: "mean" })(hidden), dense({ units: 3, name: "spread" })(hidden)],
      name: "two",
    });
    const outer = input({ shape: [6] });
    const value = subModel(two)(outer);
    const joined = concatenate()(value, outputOf(value, "spread"));
    await using learner = await make(model({ inputs: [outer], outputs: [joined] }));
    expect(learner.shapes.output).toEqual([5]);
    expect(learner.weights.names()).toContain("two/encoder/dense/kernel");
  });

  test.each([
    [{ layer: "Model", definition: encoder, units: 3 }, /unknown argument "units"/],
    [{ layer: "Model", definition: { kind: "sequential", layers: [] } }, /layers/],
    [{ layer: "Model", shares: "nobody" }, /"nobody"/],
    [{ layer: "Dense", shares: "dense" }, /shares "dense"/],
  ])("%j is refused", (wrong, message) => {
    const definition = { kind: "sequential", layers: [{ layer: "Input", shape: [6] }, wrong] };
    return expect(make(parseDefinition(definition))).rejects.toThrow(message);
  });

  test("an input of the wrong shape is refused, naming the model's input", () =>
    expect(make(sequential([input({ shape: [5] }), subModel(encoder)]))).rejects.toThrow(
      /encoder\/input.*\[6\].*\[5\]/,
    ));
});
