import type { Column, FittedStep, PreprocessingStep, Signature } from "@modelyard/contracts";
import { applyImageSteps, compile, type DataArray } from "@modelyard/learn";
import { onnxRuntimeExecutor } from "@modelyard/learn/onnxruntime-node";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TrainingData } from "../../packages/platform/src/experiments/load-training-data.ts";
import { fitPreprocessing, preprocessedDefinition } from "../../packages/platform/src/experiments/fit-preprocessing.ts";
import { encodePng } from "../../packages/platform/src/datasets/decode-image.ts";
import { planTraining, type TrainingPlan } from "../../packages/platform/src/experiments/plan-training.ts";
import { onnxRuntime } from "../../packages/platform/src/runtimes/onnx-runtime.ts";
import { readPredictInput } from "../../packages/platform/src/predictions/predict-input.ts";

const executor = onnxRuntimeExecutor({ intraOpNumThreads: 1 });

/** A network that gives back what it gets, so that what comes out is what the preprocessing made. */
const identity = { kind: "sequential" as const, layers: [{ layer: "Activation", activation: "linear" }] };

const planOf = (columns: readonly Column[], preprocessing: PreprocessingStep[]): TrainingPlan =>
  planTraining(
    {
      experiment: "skew",
      dataset: "skew@1",
      definition: identity,
      preprocessing,
      optimizer: "adam",
      epochs: 1,
      batchSize: 32,
      seed: 1,
    },
    { dataset: "skew", version: 1, columns: [...columns, { kind: "number", name: "y" }], target: "y" },
  );

const dataOf = (x: DataArray): TrainingData => ({
  x,
  y: { shape: [x.shape[0] ?? 0], values: new Float32Array(x.shape[0] ?? 0) },
  rows: x.shape[0] ?? 0,
});

/** What training sees of the samples, and a way to ask what serving sees of a request. */
const bothWays = async (plan: TrainingPlan, x: DataArray) => {
  const empty = dataOf({ shape: [0, ...plan.rawShape], values: new Float32Array() });
  const fitted = fitPreprocessing(plan, { train: dataOf(x), validation: empty });
  await using learner = await compile(preprocessedDefinition(plan, fitted), { loss: "mean_squared_error", executor });
  const trained = await learner.predict(x);
  const graph = learner.exportOnnx({ inputName: "x", outputName: "prediction" });
  const signature: Signature = {
    input: plan.input,
    output: plan.output,
    tensors: { inputs: [{ name: "x", datatype: "FP32", shape: [-1, ...plan.rawShape] }], outputs: [] },
  };
  // The artefact is JSON: constants must survive it.
  const preprocessing = JSON.parse(JSON.stringify([...plan.imageSteps, ...fitted])) as FittedStep[];
  const serve = async (body: Uint8Array | string, contentType = "application/json"): Promise<Float32Array> => {
    await using loaded = await onnxRuntime.load(graph, { threads: 1, rowsMax: 8 });
    const request = { body: Buffer.from(body), contentType };
    const tensors = await readPredictInput(request, { signature, preprocessing }, loaded);
    const [[output] = []] = await loaded.run([tensors]);
    return output?.data as Float32Array;
  };
  return { trained: trained.values, serve };
};

const bits = (values: Float32Array): number[] => [...new Uint32Array(Float32Array.from(values).buffer)];

const categories = ["C", "Q", "S"];
const columns: readonly Column[] = [
  { kind: "number", name: "age" },
  { kind: "number", name: "fare" },
  { kind: "category", name: "port", categories },
  { kind: "category", name: "sex", categories: ["female", "male"] },
];
const tableSteps: PreprocessingStep[] = [
  { step: "impute", columns: ["age"], strategy: "median" },
  { step: "impute", columns: ["port"], strategy: "most_frequent" },
  { step: "standardise" },
  { step: "scale", columns: ["fare"], scale: 0.3, offset: -0.1 },
  { step: "one_hot", columns: ["port"], handleUnknown: "ignore" },
  { step: "one_hot", columns: ["sex"], handleUnknown: "error" },
];

const number = fc.double({ min: -1e6, max: 1e6, noNaN: true });
const rowArbitrary = fc.record({
  age: fc.option(number),
  fare: number,
  port: fc.option(fc.constantFrom(...categories)),
  sex: fc.constantFrom("female", "male"),
});
type Row = typeof rowArbitrary extends fc.Arbitrary<infer Value> ? Value : never;

const rawRow = ({ age, fare, port, sex }: Row): number[] => [
  age ?? Number.NaN,
  fare,
  port === null ? Number.NaN : categories.indexOf(port),
  sex === "female" ? 0 : 1,
];

describe("training and serving see the same", () => {
  it("of every row of a table, bit for bit, alone and together", async () => {
    const present: Row = { age: 3, fare: 1, port: "S", sex: "male" };
    const rows = fc.array(rowArbitrary, { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(rows, async (drawn) => {
        const all = [present, ...drawn];
        const values = Float32Array.from(all.flatMap(rawRow));
        const { trained, serve } = await bothWays(planOf(columns, tableSteps), { shape: [all.length, 4], values });
        expect(trained.length).toBe(all.length * 7);
        expect(trained.every((value) => Number.isFinite(value))).toBe(true);
        expect(bits(await serve(JSON.stringify({ inputs: all })))).toEqual(bits(trained));
        const last = all.length - 1;
        expect(bits(await serve(JSON.stringify({ input: all[last] })))).toEqual(bits(trained.subarray(last * 7)));
      }),
      { numRuns: 25 },
    );
  });

  it("gives unknown categories, nulls and columns left out what the steps declare", async () => {
    const plan = planOf(columns, tableSteps);
    const values = Float32Array.of(1, 1, 0, 0, 5, 1, 0, 1, 9, 4, 2, 0);
    const { serve } = await bothWays(plan, { shape: [3, 4], values });
    const row = async (input: object): Promise<number[]> => [...(await serve(JSON.stringify({ input })))];
    // No training row had Q, so it counts as unknown, like a port from elsewhere.
    expect((await row({ age: 5, fare: 2, port: "Q", sex: "male" })).slice(2)).toEqual([0, 0, 0, 0, 1]);
    expect((await row({ age: 5, fare: 2, port: "Oslo", sex: "male" })).slice(2)).toEqual([0, 0, 0, 0, 1]);
    // The median age and the most frequent port.
    const filled = await row({ fare: 2, port: null, sex: "female" });
    expect(filled).toEqual(await row({ age: 5, fare: 2, port: "C", sex: "female" }));
    expect(filled[0]).toBe(0);
    await expect(row({ age: 5, fare: 2, port: "C", sex: "other" })).rejects.toMatchObject({
      code: "prediction-input-invalid",
      message: 'The column "sex" has no category "other". Known are: female, male.',
    });
    await expect(row({ age: 5, port: "C", sex: "male" })).rejects.toMatchObject({
      code: "prediction-input-invalid",
      message: expect.stringContaining('The column "fare" is missing') as string,
    });
    await expect(row({ age: 5, fare: 1e39, port: "C", sex: "male" })).rejects.toMatchObject({
      message: expect.stringContaining('"fare" takes a number') as string,
    });
  });

  it("of every image, whatever its size, as a file and as pixels", async () => {
    const steps: PreprocessingStep[] = [
      { step: "resize", height: 9, width: 7, interpolation: "bilinear" },
      { step: "crop", height: 6, width: 6 },
      { step: "grayscale" },
      { step: "standardise" },
      { step: "scale", scale: 1 / 3, offset: 0.5 },
    ];
    const side = fc.integer({ min: 1, max: 16 });
    const pixels = fc.tuple(side, side, fc.infiniteStream(fc.integer({ min: 0, max: 255 })));
    await fc.assert(
      fc.asyncProperty(pixels, async ([height, width, stream]) => {
        const data = Uint8Array.from([...stream.take(height * width * 3)]);
        const plan = planOf([{ kind: "image", name: "image", height: null, width: null, channels: 3 }], steps);
        const prepared = applyImageSteps({ data, height, width, channels: 3 }, plan.imageSteps).data;
        const { trained, serve } = await bothWays(plan, { shape: [1, ...plan.rawShape], values: prepared });
        expect(plan.rawShape).toEqual([6, 6, 1]);
        const png = await encodePng({ data, height, width, channels: 3 });
        expect(bits(await serve(png, "image/png"))).toEqual(bits(trained));
        const nested = Array.from({ length: height }, (_, y) =>
          Array.from({ length: width }, (__, x) => [...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)]),
        );
        expect(bits(await serve(JSON.stringify({ input: nested })))).toEqual(bits(trained));
      }),
      { numRuns: 15 },
    );
  });

  it("of a tensor with missing elements", async () => {
    const column: Column = { kind: "tensor", name: "x", dtype: "float32", shape: [2, 3] };
    const plan = planOf([column], [{ step: "impute", strategy: "mean" }, { step: "standardise" }]);
    expect(plan.input).toEqual({ kind: "tensor", shape: [2, 3], missing: "impute" });
    const values = Float32Array.of(1, 2, 3, Number.NaN, 5, 6, 7, 8, Number.NaN, 10, 11.5, 12);
    const { trained, serve } = await bothWays(plan, { shape: [2, 2, 3], values });
    const inputs = [0, 1].map((row) =>
      [0, 1].map((line) =>
        [0, 1, 2].map((at) => {
          const value = values[row * 6 + line * 3 + at] ?? 0;
          return Number.isNaN(value) ? null : value;
        }),
      ),
    );
    expect(bits(await serve(JSON.stringify({ inputs })))).toEqual(bits(trained));
  });
});
