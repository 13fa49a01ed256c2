import { describe, expect, test } from "vitest";
import { type ModelDefinition, sequential } from "../definition/definition.ts";
import {
  activation,
  batchNormalization,
  conv2d,
  dense,
  dropout,
  flatten,
  globalAveragePooling2d,
  maxPooling2d,
} from "../index.ts";
import { input } from "../definition/definition.ts";
import type { Loss } from "../losses/index.ts";
import { onnxRuntimeExecutor } from "../onnxruntime-node/index.ts";
import type { OptimizerConfig, Schedule } from "../optimizers/index.ts";
import { learningRateAt, optimizerNames, parseOptimizer } from "../optimizers/index.ts";
import { goldenArray, goldenJson, largestDifference } from "../../../../tests/kit/golden.ts";
import { earlyStopping, modelCheckpoint, reduceLrOnPlateau } from "./callbacks/index.ts";
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

const scheduleNames: Readonly<Record<string, Schedule["schedule"]>> = {
  ExponentialDecay: "exponential_decay",
  CosineDecay: "cosine_decay",
  CosineDecayRestarts: "cosine_decay_restarts",
  PiecewiseConstant: "piecewise_constant",
  PiecewiseConstantDecay: "piecewise_constant",
  PolynomialDecay: "polynomial_decay",
  InverseTimeDecay: "inverse_time_decay",
};

const camel = (key: string): string => key.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/** Keras' configuration with our names, without what is not set. */
const renamed = (config: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(config).flatMap(([key, value]) => (value === null || key === "name" ? [] : [[camel(key), value]])),
  );

const optimizerOf = ({ optimizer, config }: Trajectory): OptimizerConfig => {
  const { learning_rate: rate, loss_scale_factor: _, ...rest } = config;
  const learningRate =
    typeof rate === "number"
      ? rate
      : { ...renamed(rate as Record<string, unknown>), schedule: scheduleNames[(rate as { name: string }).name] };
  return parseOptimizer({ ...renamed(rest), name: optimizer.toLowerCase(), learningRate });
};

const normalised = (convolution: { useBias?: boolean }, normalization: { momentum?: number; epsilon?: number }) =>
  sequential([
    input({ shape: [8, 8, 1] }),
    conv2d({ filters: 4, kernelSize: 3, ...convolution }),
    batchNormalization(normalization),
    activation({ activation: "relu" }),
    globalAveragePooling2d(),
    dense({ units: 3, activation: "softmax" }),
  ]);

const nets: Readonly<Record<string, ModelDefinition>> = {
  mlp: sequential([input({ shape: [8] }), dense({ units: 16, activation: "tanh" }), dense({ units: 4 })]),
  cnn: sequential([
    input({ shape: [8, 8, 1] }),
    conv2d({ filters: 4, kernelSize: 3, activation: "relu" }),
    maxPooling2d({ poolSize: 2 }),
    flatten(),
    dense({ units: 3, activation: "softmax" }),
  ]),
  cnn_batchnorm_nobias: normalised({ useBias: false }, {}),
  cnn_batchnorm_sgd: normalised({}, { momentum: 0.9, epsilon: 1e-5 }),
};

/** The network of a fixture, told by its name and note. */
const netOf = ({ name }: Trajectory): ModelDefinition => {
  const family = ["cnn_batchnorm_nobias", "cnn_batchnorm_sgd", "cnn", "mlp"].find((start) => name.startsWith(start));
  const definition = nets[family ?? ""];
  if (definition === undefined) throw new Error(`No network for ${name}`);
  return definition;
};

describe("short trainings follow Keras step by step", () => {
  const { cases } = goldenJson<{ cases: Trajectory[] }>("trajectories/manifest.json");
  // The recurrent and attention fixtures are about layers, and are tested beside those.
  const own = cases.filter(({ name }) => !name.startsWith("seq_"));
  test("the fixtures cover every optimizer", () => {
    expect(new Set(own.map((one) => optimizerOf(one).name)).size).toBe(optimizerNames.length);
  });
  test.each(own.map((one) => [one.name, one] as const))("%s", async (name, one) => {
    const family = name.slice(0, 3);
    const [x, y, initial, final] = [
      goldenArray(`trajectories/${family}.x.npy`),
      goldenArray(`trajectories/${family}.y.npy`),
      goldenArray(`trajectories/${one.initial}`),
      goldenArray(`trajectories/${one.final}`),
    ];
    await using learner = await compile(netOf(one), { optimizer: optimizerOf(one), loss: one.loss as Loss, executor });
    const names = learner.weights.names();
    expect(names.length).toBe(one.weights.length);
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

describe("learning rates follow Keras' schedules to 1e-7", () => {
  const cases = goldenJson<{ cases: ScheduleCase[] }>("schedules/manifest.json").cases;
  test.each(cases.map((one) => [one.name, one] as const))("%s", (_, one) => {
    const schedule = { ...renamed(one.config), schedule: scheduleNames[one.schedule] } as unknown as Schedule;
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
