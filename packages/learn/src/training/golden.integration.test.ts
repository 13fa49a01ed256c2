import { describe, expect, test } from "vitest";
import { type ModelDefinition, sequential } from "../definition/definition.ts";
import { batchNormalization, conv2d, dense, dropout, flatten, maxPooling2d } from "../index.ts";
import { input } from "../definition/definition.ts";
import { onnxRuntimeExecutor } from "../onnxruntime-node/index.ts";
import type { OptimizerConfig, Schedule } from "../optimizers/index.ts";
import { learningRateAt } from "../optimizers/index.ts";
import { goldenArray, goldenJson, largestDifference } from "../../../../tests/kit/golden.ts";
import { earlyStopping, modelCheckpoint, reduceLrOnPlateau } from "./callbacks.ts";
import { compile, type Learner } from "./learner.ts";
import type { LearnerState } from "./state.ts";

const executor = onnxRuntimeExecutor({ intraOpNumThreads: 1 });

interface Trajectory {
  readonly name: string;
  readonly optimizer: string;
  readonly config: Record<string, unknown>;
  readonly loss: string;
  readonly batch: number;
  readonly steps: number;
  readonly weights: readonly { readonly path: string; readonly shape: readonly number[] }[];
  readonly initial: string;
  readonly final: string;
  readonly lossPerStep: readonly number[];
  readonly tolerance: number;
}

const scheduleOf = (rate: unknown): number | Schedule | undefined => (typeof rate === "number" ? rate : undefined);

const optimizerOf = ({ optimizer, config: c }: Trajectory): OptimizerConfig | undefined => {
  const name = { SGD: "sgd", RMSprop: "rmsprop", Adam: "adam", AdamW: "adamw" }[optimizer];
  const learningRate = scheduleOf(c["learning_rate"]);
  if (name === undefined || learningRate === undefined || c["use_ema"] === true || c["gradient_accumulation_steps"])
    return undefined;
  const given: Record<string, unknown> = {
    name,
    learningRate,
    weightDecay: c["weight_decay"],
    clipnorm: c["clipnorm"],
    clipvalue: c["clipvalue"],
    globalClipnorm: c["global_clipnorm"],
    momentum: c["momentum"],
    nesterov: c["nesterov"],
    rho: c["rho"],
    centered: c["centered"],
    beta1: c["beta_1"],
    beta2: c["beta_2"],
    epsilon: c["epsilon"],
    amsgrad: c["amsgrad"],
  };
  return Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== null && value !== undefined),
  ) as unknown as OptimizerConfig;
};

const nets: Readonly<Record<string, ModelDefinition>> = {
  mlp: sequential([input({ shape: [8] }), dense({ units: 16, activation: "tanh" }), dense({ units: 4 })]),
  cnn: sequential([
    input({ shape: [8, 8, 1] }),
    conv2d({ filters: 4, kernelSize: 3, activation: "relu" }),
    maxPooling2d({ poolSize: 2 }),
    flatten(),
    dense({ units: 3, activation: "softmax" }),
  ]),
};

describe("short trainings follow Keras step by step", () => {
  const cases = goldenJson<{ cases: Trajectory[] }>("trajectories/manifest.json").cases.filter(
    (one) =>
      /^(mlp|cnn)_(sgd|rmsprop|adam|adamw|momentum|nesterov|clip)/.test(one.name) &&
      one.weights.length === 4 &&
      optimizerOf(one) !== undefined,
  );
  test("the fixtures cover every optimizer", () => {
    expect(cases.length).toBeGreaterThanOrEqual(8);
  });
  test.each(cases.map((one) => [one.name, one] as const))("%s", async (name, one) => {
    const family = name.startsWith("cnn") ? "cnn" : "mlp";
    const [x, y, initial, final] = [
      `${family}.x`,
      `${family}.y`,
      one.initial.replace(".npy", ""),
      one.final.replace(".npy", ""),
    ].map((file) => goldenArray(`trajectories/${file}.npy`));
    if (!x || !y || !initial || !final) throw new Error(name);
    await using learner = await compile(nets[family] as ModelDefinition, {
      optimizer: optimizerOf(one),
      loss: one.loss as "mse",
      executor,
    });
    const names = learner.weights.names();
    let offset = 0;
    for (const [i, { shape }] of one.weights.entries()) {
      const length = shape.reduce((product, d) => product * d, 1);
      learner.setWeight(names[i] ?? "", initial.values.subarray(offset, offset + length));
      offset += length;
    }
    const program = await learner.program(one.batch);
    const [samples = 1] = x.shape;
    const [xw, yw] = [x.values.length / samples, y.values.length / samples];
    for (let step = 0; step < one.steps; step++) {
      const first = (step * one.batch) % samples;
      program.inputs[0]?.set(x.values.subarray(first * xw, (first + one.batch) * xw));
      program.targets[0]?.set(y.values.subarray(first * yw, (first + one.batch) * yw));
      await program.run(learner.masks);
      const expected = one.lossPerStep[step] ?? NaN;
      expect(Math.abs((program.sums[0] ?? NaN) / one.batch - expected)).toBeLessThan(
        one.tolerance * Math.max(1, expected),
      );
      learner.optimizer.step();
    }
    const trained = Float32Array.from(names.flatMap((weight) => [...learner.getWeight(weight).values]));
    expect(largestDifference(trained, final.values)).toBeLessThan(one.tolerance);
  });
});

interface ScheduleCase {
  readonly name: string;
  readonly schedule: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly steps: readonly number[];
  readonly values: string;
}

const scheduleNames: Readonly<Record<string, Schedule["schedule"]>> = {
  ExponentialDecay: "exponential_decay",
  CosineDecay: "cosine_decay",
  CosineDecayRestarts: "cosine_decay_restarts",
  PiecewiseConstantDecay: "piecewise_constant",
  PolynomialDecay: "polynomial_decay",
  InverseTimeDecay: "inverse_time_decay",
};

const camel = (key: string): string => key.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

describe("learning rates follow Keras' schedules to 1e-7", () => {
  const cases = goldenJson<{ cases: ScheduleCase[] }>("schedules/manifest.json").cases;
  test.each(cases.map((one) => [one.name, one] as const))("%s", (_, one) => {
    const given = Object.entries(one.config).filter(([key, value]) => value !== null && key !== "name");
    const config = Object.fromEntries(given.map(([key, value]) => [camel(key), value]));
    const schedule = { schedule: scheduleNames[one.schedule], ...config } as unknown as Schedule;
    const expected = goldenArray(`schedules/${one.values}`).values;
    const rates = one.steps.map((step) => learningRateAt(schedule, step));
    expect(largestDifference(rates, expected)).toBeLessThan(1e-7);
  });
});

describe("a training that is interrupted and resumed ends byte for byte like one that is not", () => {
  const x = { shape: [70, 8, 8, 1], values: Float32Array.from({ length: 70 * 64 }, (_, i) => Math.sin(i * 0.37)) };
  const y = { shape: [70], values: Int32Array.from({ length: 70 }, (_, i) => (i * 7) % 3) };
  const definition = sequential([
    input({ shape: [8, 8, 1] }),
    conv2d({ filters: 4, kernelSize: 3, useBias: false }),
    batchNormalization(),
    maxPooling2d(),
    flatten(),
    dropout({ rate: 0.3 }),
    dense({ units: 3, activation: "softmax" }),
  ]);
  const make = (): Promise<Learner> =>
    compile(definition, { loss: "sparse_categorical_crossentropy", metrics: ["accuracy"], seed: 3, executor });
  const callbacks = () => [
    earlyStopping({ patience: 3, monitor: "loss" }),
    reduceLrOnPlateau({ monitor: "loss", patience: 1, minDelta: 1 }),
  ];

  test.each([1, 3, 5, 7, 9, 12])("stopped after %i of 15 steps", async (stopAfter) => {
    await using whole = await make();
    const uninterrupted = await whole.fit(x, y, { epochs: 3, batchSize: 16, callbacks: callbacks() });
    await using first = await make();
    let saved: LearnerState | undefined;
    let steps = 0;
    const signal = { aborted: false };
    await first.fit(x, y, {
      epochs: 3,
      batchSize: 16,
      signal,
      callbacks: [
        ...callbacks(),
        modelCheckpoint(
          (state) => {
            steps += 1;
            if (steps === stopAfter) saved = state;
          },
          { everySteps: 1 },
        ),
      ],
    });
    if (saved === undefined) throw new Error("no checkpoint");
    await using second = await make();
    second.restore(saved);
    const resumed = await second.fit(x, y, { epochs: 3, batchSize: 16, callbacks: callbacks() });
    expect(resumed.epochs).toEqual(uninterrupted.epochs);
    expect(second.exportOnnx()).toEqual(whole.exportOnnx());
    expect(resumed.state.masks).toEqual(uninterrupted.state.masks);
  });

  test.each([1, 5, 9, 10])("with the decision to stop and the best weights, from checkpoint %i of 10", async (nth) => {
    const stops = () => earlyStopping({ patience: 1, monitor: "loss", minDelta: 10, restoreBestWeights: true });
    await using whole = await make();
    const states: LearnerState[] = [];
    const uninterrupted = await whole.fit(x, y, {
      epochs: 9,
      batchSize: 16,
      callbacks: [stops(), modelCheckpoint((state) => void states.push(state), { everySteps: 1 })],
    });
    expect(uninterrupted.stopped).toMatch(/has not become better/);
    expect(states).toHaveLength(10);
    const saved = states[nth - 1];
    if (saved === undefined) throw new Error("no checkpoint");
    await using second = await make();
    second.restore(saved);
    const resumed = await second.fit(x, y, { epochs: 9, batchSize: 16, callbacks: [stops()] });
    expect(resumed.epochs).toEqual(uninterrupted.epochs);
    expect(second.exportOnnx()).toEqual(whole.exportOnnx());
  });
});

test("a loss that becomes NaN stops the training and names the step", async () => {
  await using learner = await compile(nets["mlp"] as ModelDefinition, {
    optimizer: { name: "sgd", learningRate: 1e30 },
    loss: "mse",
    executor,
  });
  const x = { shape: [64, 8], values: Float32Array.from({ length: 512 }, (_, i) => Math.cos(i)) };
  const y = { shape: [64, 4], values: new Float32Array(256).fill(1) };
  await expect(learner.fit(x, y, { epochs: 20, batchSize: 8 })).rejects.toThrow(/Epoch \d+, step \d+: The loss became/);
});
