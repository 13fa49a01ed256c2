import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { goldenArray, goldenJson, largestDifference } from "../../../../tests/kit/golden.ts";
import { differentiate } from "../autodiff/index.ts";
import { resolveDefinition } from "../definition/resolve.ts";
import { dense, input, model } from "../index.ts";
import { GraphBuilder } from "../onnx/builder.ts";
import { encodeModel } from "../onnx/encode.ts";
import type { Value } from "../onnx/graph.ts";
import { elementCount } from "../onnx/tensor.ts";
import { onnxRuntimeExecutor } from "../onnxruntime-node/index.ts";
import { createRandom } from "../random.ts";
import type { TensorData } from "../training/executor.ts";
import { compile, type Learner } from "../training/learner.ts";
import { emitModel } from "../training/network.ts";
import { importOnnx, type OnnxModel } from "./import-onnx.ts";

const executor = onnxRuntimeExecutor({ intraOpNumThreads: 1 });

interface Fixture {
  readonly file: string;
  readonly x: string;
  readonly y: string;
  readonly lengths?: Readonly<Record<string, number>>;
  readonly outputs?: readonly string[];
  /** Functions with kinks at many places make differences in single precision coarse. */
  readonly tolerance: number;
  /** Of the differences; 1e-2 by default. */
  readonly step?: number;
}

const fixtures: readonly Fixture[] = [
  { file: "onnx_torch/resnet", x: "pixels", y: "logits", tolerance: 3e-2 },
  { file: "onnx_torch/transformer_encoder", x: "ids", y: "probabilities", lengths: { sequence: 11 }, tolerance: 2e-2 },
  { file: "onnx_torch/lstm_gru", x: "series", y: "logits", tolerance: 2e-2 },
  { file: "onnx/residual_net", x: "x", y: "logits", tolerance: 3e-2 },
  { file: "onnx/transformer_encoder", x: "ids", y: "logits", tolerance: 2e-2 },
  { file: "onnx/seed_cnn", x: "x", y: "probabilities", tolerance: 3e-2, step: 1e-3 },
];

const load = ({ file, lengths, outputs }: Fixture): OnnxModel =>
  importOnnx(new Uint8Array(readFileSync(new URL(`../../../../tests/fixtures/golden/${file}.onnx`, import.meta.url))), {
    ...(lengths === undefined ? {} : { lengths }),
    ...(outputs === undefined ? {} : { outputs }),
  });

const withWeights = (learner: Learner, { weights }: OnnxModel): Learner => {
  for (const [name, { values }] of weights) learner.setWeight(name, values);
  return learner;
};

test("the fixtures are all exports of PyTorch that there are", () => {
  const { cases } = goldenJson<{ cases: { file: string }[] }>("onnx_torch/manifest.json");
  const own = new Set(fixtures.map(({ file }) => `${file}.onnx`));
  expect(cases.filter(({ file }) => !own.has(`onnx_torch/${file}`))).toEqual([]);
});

describe("an imported model", () => {
  test.each(fixtures.map((one) => [one.file, one] as const))("%s predicts what its file predicts", async (_, one) => {
    const imported = load(one);
    const definition = JSON.parse(JSON.stringify(imported.definition)) as typeof imported.definition;
    await using learner = withWeights(await compile(definition, { loss: "mse", executor }), imported);
    const expected = goldenArray(`${one.file}.${one.y}.npy`);
    const { shape, values } = await learner.predict(goldenArray(`${one.file}.${one.x}.npy`));
    expect(shape).toEqual(expected.shape);
    expect(largestDifference(values, expected.values)).toBeLessThan(1e-5);
  });

  test.each(fixtures.map((one) => [one.file, one] as const))(
    "%s has the gradients of central differences",
    async (_, one) => {
      const imported = load(one);
      const x = goldenArray(`${one.file}.${one.x}.npy`);
      const batch = Math.min(x.shape[0] ?? 1, 3);
      const resolved = resolveDefinition(imported.definition);
      const builder = new GraphBuilder();
      const emitted = emitModel(builder, resolved, {
        batch,
        training: true,
        weight: (full, storage) => builder.input(full, "float32", storage.shape),
      });
      const [output] = emitted.outputs as [Value];
      const random = createRandom(5);
      const factors = builder.input("factors", "float32", output.shape);
      const loss = builder.apply("ReduceSum", [builder.apply("Mul", [output, factors])], {
        attributes: { keepdims: 0 },
      });
      const learnt = resolved.layers.flatMap((layer) =>
        layer.weights.filter(({ trainable }) => trainable).map((weight) => `${layer.name}/${weight.name}`),
      );
      const gradients = differentiate(builder, { loss, withRespectTo: learnt.map((name) => builder.value(name)) });
      const outputs = Object.fromEntries(gradients.map((gradient, index) => [`gradient/${index}`, gradient]));
      await using session = await executor.load(encodeModel(builder.finish("check", { loss, ...outputs })));
      const width = x.values.length / (x.shape[0] ?? 1);
      const step = one.step ?? 1e-2;
      const [inputValue] = emitted.inputs as [Value];
      const feeds: Record<string, TensorData> = {
        factors: {
          dtype: "float32",
          shape: output.shape.map(Number),
          values: Float32Array.from({ length: elementCount(output.shape.map(Number)) }, () => 2 * random.uniform() - 1),
        },
        [inputValue.name]: {
          dtype: "float32",
          shape: [batch, ...x.shape.slice(1)],
          values: x.values.slice(0, batch * width),
        },
      };
      for (const [name, { shape, values }] of imported.weights)
        feeds[name] = { dtype: "float32", shape, values: values.slice() };
      const analytic = await session.run(feeds);
      const lossAt = async (): Promise<number> => Number((await session.run(feeds))["loss"]?.values[0]);
      expect(learnt.length).toBeGreaterThan(3);
      for (const [index, name] of learnt.entries()) {
        const values = feeds[name]?.values as Float32Array;
        const gradient = analytic[`gradient/${index}`]?.values as Float32Array;
        const largest = gradient.reduce((most, value) => Math.max(most, Math.abs(value)), 0.05);
        // The steepest element shows a wrong rule best; three others are taken at random.
        const steepest = gradient.reduce(
          (best, value, at) => (Math.abs(value) > Math.abs(gradient[best] ?? 0) ? at : best),
          0,
        );
        for (const at of [steepest, ...Array.from({ length: 3 }, () => random.integerBelow(values.length))]) {
          const kept = values[at] as number;
          values[at] = kept + step;
          const above = await lossAt();
          values[at] = kept - step;
          const below = await lossAt();
          values[at] = kept;
          const difference = Math.abs((above - below) / (2 * step) - (gradient[at] ?? NaN));
          expect(difference / largest, `${name}[${at}]`).toBeLessThan(one.tolerance);
        }
      }
    },
  );
});

const classes = (samples: number, count: number) => ({
  shape: [samples],
  values: Int32Array.from({ length: samples }, (_, i) => i % count),
});

describe("fine-tuning", () => {
  test("trains a whole ResNet, its batch normalisations' statistics untouched", async () => {
    const [fixture] = fixtures;
    const imported = load(fixture as Fixture);
    await using learner = withWeights(
      await compile(imported.definition, {
        loss: { name: "sparse_categorical_crossentropy", fromLogits: true },
        optimizer: { name: "adam", learningRate: 1e-2 },
        executor,
      }),
      imported,
    );
    const x = goldenArray("onnx_torch/resnet.pixels.npy");
    const { epochs } = await learner.fit(x, classes(6, 10), { epochs: 80, batchSize: 6 });
    expect(epochs["loss"]?.at(-1)).toBeLessThan((epochs["loss"]?.[0] ?? 0) / 2);
  });

  test("replaces the head of a transformer encoder, freezes its embedding, and trains the rest", async () => {
    const bytes = readFileSync(
      new URL("../../../../tests/fixtures/golden/onnx/transformer_encoder.onnx", import.meta.url),
    );
    const imported = importOnnx(new Uint8Array(bytes), { name: "body", outputs: ["pool"], frozen: ["emb", "pos"] });
    const ids = input({ shape: imported.inputs[0]?.shape ?? [], name: "ids" });
    const head = dense({ units: 5, activation: "softmax", name: "head" });
    const definition = model({ inputs: [ids], outputs: [head(imported.layer(ids))] });
    await using learner = withWeights(
      await compile(definition, {
        loss: "sparse_categorical_crossentropy",
        optimizer: { name: "adam", learningRate: 1e-2, learningRateFactors: { body: 0.3, "body/wk": 0 } },
        executor,
      }),
      imported,
    );
    expect(learner.weights.names()).not.toContain("body/cw");
    const x = goldenArray("onnx/transformer_encoder.ids.npy");
    const samples = x.shape[0] ?? 1;
    const { epochs } = await learner.fit(x, classes(samples, 5), { epochs: 25, batchSize: samples });
    expect(epochs["loss"]?.at(-1)).toBeLessThan((epochs["loss"]?.[0] ?? 0) / 2);
    const moved = (name: string): number =>
      largestDifference(learner.getWeight(name).values, imported.weights.get(name)?.values ?? []);
    expect(moved("body/emb")).toBe(0);
    expect(moved("body/pos")).toBe(0);
    expect(moved("body/wk")).toBe(0);
    expect(moved("body/wq")).toBeGreaterThan(1e-3);
    const again = await learner.predict(x);
    await using served = await executor.load(learner.exportOnnx());
    const results = await served
      .run({ ids: { dtype: "float32", ...x } })
      .catch(() => served.run({ x: { dtype: "float32", ...x } }));
    expect(largestDifference(Object.values(results)[0]?.values as Float32Array, again.values)).toBeLessThan(1e-5);
  });
});
