import fc from "fast-check";
import { expect, test } from "vitest";
import { batchNormalization, dense, dropout, input, sequential } from "../index.ts";
import { onnxRuntimeExecutor } from "../onnxruntime-node/index.ts";
import { type OptimizerConfig, optimizerNames, type Schedule } from "../optimizers/index.ts";
import {
  type Callback,
  earlyStopping,
  learningRateScheduler,
  modelCheckpoint,
  reduceLrOnPlateau,
} from "./callbacks/index.ts";
import type { FitOptions } from "./fit.ts";
import { compile, type Learner } from "./learner.ts";
import type { LearnerState } from "./state.ts";

const executor = onnxRuntimeExecutor({ intraOpNumThreads: 1 });

const x = { shape: [22, 4], values: Float32Array.from({ length: 88 }, (_, i) => Math.sin(i * 0.7)) };
const y = { shape: [22], values: Int32Array.from({ length: 22 }, (_, i) => (i * 5) % 3) };
const sampleWeight = { shape: [22], values: Float32Array.from({ length: 22 }, (_, i) => 0.5 + (i % 4)) };

/** Every kind of state: moving statistics, masks, a constraint, a penalty. */
const definition = sequential([
  input({ shape: [4] }),
  dense({ units: 6, activation: "tanh", kernelRegularizer: "l2", kernelConstraint: { name: "max_norm", maxValue: 1 } }),
  batchNormalization({ momentum: 0.8 }),
  dropout({ rate: 0.4 }),
  dense({ units: 3, activation: "softmax" }),
]);

const schedules: readonly (number | Schedule)[] = [
  0.01,
  { schedule: "cosine_decay", initialLearningRate: 0.001, warmupTarget: 0.02, warmupSteps: 3, decaySteps: 8 },
  { schedule: "cosine_decay_restarts", initialLearningRate: 0.02, firstDecaySteps: 4 },
  { schedule: "one_cycle", maxLearningRate: 0.02, totalSteps: 12 },
  { schedule: "piecewise_constant", boundaries: [3, 7], values: [0.02, 0.01, 0.001] },
];

const option = <Value>(value: Value): fc.Arbitrary<Value | undefined> => fc.constantFrom(value, undefined);

const optimizers: fc.Arbitrary<OptimizerConfig> = fc
  .record({
    name: fc.constantFrom(...optimizerNames),
    learningRate: fc.constantFrom(...schedules),
    weightDecay: option(0.01),
    clip: fc.constantFrom({}, { clipnorm: 0.1 }, { clipvalue: 0.02 }, { globalClipnorm: 0.1 }),
    gradientAccumulationSteps: fc.constantFrom(undefined, 2, 3),
    useEma: option(true),
    emaOverwriteFrequency: option(2),
    excludeFromWeightDecay: option(["bias"]),
  })
  .map(({ clip, ...config }) => ({ ...config, ...clip }));

const callbackKinds: Readonly<Record<string, () => Callback>> = {
  stopping: () => earlyStopping({ monitor: "loss", patience: 1, minDelta: 0.05, restoreBestWeights: true }),
  plateau: () => reduceLrOnPlateau({ monitor: "val_accuracy", patience: 1, minDelta: 1 }),
  scheduler: () => learningRateScheduler((epoch, rate) => rate / (epoch + 1)),
};

interface Setting {
  readonly optimizer: OptimizerConfig;
  readonly callbacks: readonly string[];
  readonly weighted: boolean;
  readonly shuffle: boolean;
  /** Steps after which the state is saved, of at most 12. */
  readonly stopAfter: number;
  /** Where the saving callback stands among the others. */
  readonly saverAt: number;
}

const settings: fc.Arbitrary<Setting> = fc.record({
  optimizer: optimizers,
  callbacks: fc.subarray(Object.keys(callbackKinds)),
  weighted: fc.boolean(),
  shuffle: fc.boolean(),
  stopAfter: fc.integer({ min: 1, max: 12 }),
  saverAt: fc.nat({ max: 3 }),
});

const make = (setting: Setting): Promise<Learner> =>
  compile(definition, {
    optimizer: setting.optimizer,
    loss: "sparse_categorical_crossentropy",
    metrics: ["accuracy", { name: "auc", numThresholds: 20 }],
    seed: 3,
    executor,
  });

const optionsOf = (setting: Setting, saver?: Callback): FitOptions => {
  const callbacks = setting.callbacks.flatMap((kind) => callbackKinds[kind]?.() ?? []);
  return {
    epochs: 3,
    batchSize: 6,
    shuffle: setting.shuffle,
    validationData: { x, y },
    callbacks: saver === undefined ? callbacks : callbacks.toSpliced(setting.saverAt, 0, saver),
    ...(setting.weighted ? { sampleWeight } : {}),
  };
};

const bytes = (state: LearnerState): unknown => ({ ...state, callbacks: [], kept: {} });

test(
  "a training that is stopped at any step and goes on ends byte for byte like one that is not, whatever it keeps",
  { timeout: 120_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(settings, async (setting) => {
        await using whole = await make(setting);
        const states: LearnerState[] = [];
        const saver = modelCheckpoint((state) => void states.push(structuredClone(state)), { everySteps: 1 });
        const expected = await whole.fit(x, y, optionsOf(setting, saver));
        const saved = states[Math.min(setting.stopAfter, states.length) - 1];
        if (saved === undefined) throw new Error("nothing was saved");
        await using second = await make(setting);
        second.restore(saved);
        const resumed = await second.fit(
          x,
          y,
          optionsOf(
            setting,
            modelCheckpoint(() => undefined),
          ),
        );
        expect(resumed.epochs).toEqual(expected.epochs);
        expect(resumed.stopped).toBe(expected.stopped);
        expect(bytes(resumed.state)).toEqual(bytes(expected.state));
        expect(second.exportOnnx()).toEqual(whole.exportOnnx());
      }),
      { numRuns: 25 },
    );
  },
);

test("a learner can be trained again after a training: the second goes on from the first's weights", async () => {
  const setting: Setting = {
    optimizer: { name: "sgd", learningRate: 0.01 },
    callbacks: [],
    weighted: false,
    shuffle: false,
    stopAfter: 1,
    saverAt: 0,
  };
  await using learner = await make(setting);
  const { epochs: first } = await learner.fit(x, y, { epochs: 2, batchSize: 22 });
  const { epochs: second } = await learner.fit(x, y, { epochs: 1, batchSize: 22 });
  expect(second["loss"]).toHaveLength(1);
  expect(second["loss"]?.[0]).not.toEqual(first["loss"]?.[0]);
});
