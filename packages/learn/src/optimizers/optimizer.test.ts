import { describe, expect, test } from "vitest";
import { type OptimizerConfig, optimizerNames, parseOptimizer } from "./config.ts";
import { TrainingMemory } from "./memory.ts";
import { learningRateAt } from "./schedules.ts";
import { createOptimizer, slotsOf } from "./optimizer.ts";

const fixed = (values: readonly number[], config: OptimizerConfig) => {
  const memory = new TrainingMemory({
    trainable: [{ name: "w", shape: [values.length] }],
    slots: slotsOf(config),
    buffers: [],
  });
  const place = memory.places[0];
  if (!place) throw new Error("no place");
  const weights = memory.view(memory.weightsPointer, place);
  weights.set(values);
  return {
    weights,
    gradients: memory.view(memory.gradientsPointer, place),
    optimizer: createOptimizer(config, memory),
  };
};

const closeTo = (actual: Float32Array, expected: readonly number[], digits: number): void => {
  expect(actual.length).toBe(expected.length);
  expected.forEach((value, i) => expect(actual[i]).toBeCloseTo(value, digits));
};

describe("one step equals Keras' own test values (learning rate 0.5, x = 1…4, g = 1, 6, 7, 2)", () => {
  test.each<[OptimizerConfig, number[]]>([
    [{ name: "sgd", learningRate: 0.5 }, [0.5, -1, -0.5, 3]],
    [{ name: "adam", learningRate: 0.5 }, [0.5, 1.5, 2.5, 3.5]],
    [{ name: "adamw", learningRate: 0.5, weightDecay: 0.004 }, [0.498, 1.496, 2.494, 3.492]],
    [{ name: "rmsprop", learningRate: 0.5 }, [-0.5811, 0.4189, 1.4189, 2.4189]],
    [{ name: "adagrad", learningRate: 0.5 }, [0.5233, 1.5007, 2.5005, 3.5061]],
    [{ name: "nadam", learningRate: 0.5 }, [0.4686, 1.4686, 2.4686, 3.4686]],
    [{ name: "adamax", learningRate: 0.5 }, [0.5, 1.5, 2.5, 3.5]],
    [{ name: "lion", learningRate: 0.5 }, [0.5, 1.5, 2.5, 3.5]],
  ])("%j", (config, expected) => {
    const { weights, gradients, optimizer } = fixed([1, 2, 3, 4], config);
    gradients.set([1, 6, 7, 2]);
    optimizer.step();
    closeTo(weights, expected, 4);
  });
});

test.each(optimizerNames)(
  "%s with a gradient of zero only decays the weight: 2·(1 − 0.004)³ after three steps",
  (name) => {
    const { weights, optimizer } = fixed([2], parseOptimizer({ name, learningRate: 1, weightDecay: 0.004 }));
    for (let i = 0; i < 3; i++) optimizer.step();
    closeTo(weights, [1.9760959], 6);
  },
);

test("AMSGrad follows the sequence of Keras over six steps", () => {
  const { weights, gradients, optimizer } = fixed([1, 1], { name: "adam", amsgrad: true });
  gradients.set([0.01, 0.01]);
  optimizer.step();
  for (let i = 0; i < 5; i++) {
    gradients.set([0.1, 1]);
    optimizer.step();
  }
  closeTo(weights, [0.994442484, 0.994576319], 6);
});

describe("vector kernels equal the scalar definition at every length, tails included", () => {
  test.each([1, 2, 3, 4, 5, 7, 8, 63, 64, 65])("Adam over %i weights", (length) => {
    const start = Array.from({ length }, (_, i) => Math.sin(i + 1));
    const { weights, gradients, optimizer } = fixed(start, { name: "adam", learningRate: 0.01 });
    const [w, m, v] = [[...start], Array.from({ length }, () => 0), Array.from({ length }, () => 0)];
    for (let t = 1; t <= 3; t++) {
      for (let i = 0; i < length; i++) {
        const g = Math.fround(Math.cos(i * t));
        gradients[i] = g;
        m[i] = (m[i] ?? 0) + (g - (m[i] ?? 0)) * 0.1;
        v[i] = (v[i] ?? 0) + (g * g - (v[i] ?? 0)) * 0.001;
        const alpha = (0.01 * Math.sqrt(1 - 0.999 ** t)) / (1 - 0.9 ** t);
        w[i] = (w[i] ?? 0) - (alpha * (m[i] ?? 0)) / (Math.sqrt(v[i] ?? 0) + 1e-7);
      }
      optimizer.step();
    }
    closeTo(weights, w, 5);
  });
});

test.each<[OptimizerConfig, number[]]>([
  [{ name: "sgd", learningRate: 1, clipvalue: 1 }, [-1, -1, 1]],
  [{ name: "sgd", learningRate: 1, clipnorm: 1 }, [-0.6, -0.8, 0]],
  [{ name: "sgd", learningRate: 1, globalClipnorm: 1 }, [-0.6, -0.8, 0]],
])("gradients are clipped before the step: %j", (config, expected) => {
  const { weights, gradients, optimizer } = fixed([0, 0, 0], config);
  gradients.set(config.clipvalue ? [3, 4, -5] : [3, 4, 0]);
  optimizer.step();
  closeTo(weights, expected, 6);
});

/** Two weights of different layers, which lie apart in the memory. */
const twoLayers = (config: OptimizerConfig) => {
  const trainable = ["first/kernel", "first/bias", "second/kernel"].map((name) => ({ name, shape: [1] }));
  const memory = new TrainingMemory({ trainable, slots: slotsOf(config), buffers: [] });
  const optimizer = createOptimizer(config, memory);
  const of = (pointer: number): number[] => memory.places.map((place) => memory.view(pointer, place)[0] ?? NaN);
  const fill = (pointer: number, value: number): void => {
    for (const place of memory.places) memory.view(pointer, place).fill(value);
  };
  return { memory, optimizer, fill, weights: () => of(memory.weightsPointer) };
};

test("learning rates differ by layer, and what is excluded does not decay", () => {
  const config: OptimizerConfig = {
    name: "sgd",
    learningRate: 0.1,
    weightDecay: 1,
    excludeFromWeightDecay: ["bias"],
    learningRateFactors: { first: 0.5, "first/bias": 0 },
  };
  const { memory, optimizer, fill, weights } = twoLayers(config);
  fill(memory.weightsPointer, 1);
  fill(memory.gradientsPointer, 2);
  optimizer.step();
  const expected = [0.95 - 0.1, 1, 0.9 - 0.2];
  weights().forEach((value, i) => expect(value).toBeCloseTo(expected[i] ?? NaN, 6));
});

test("accumulated gradients make one update of their mean", () => {
  const config: OptimizerConfig = { name: "sgd", learningRate: 1, gradientAccumulationSteps: 3 };
  const { weights, gradients, optimizer } = fixed([0, 0], config);
  for (const gradient of [3, 6, 9]) {
    gradients.fill(gradient);
    expect([...weights]).toEqual([0, 0]);
    optimizer.step();
  }
  expect([...weights]).toEqual([-6, -6]);
  for (const gradient of [1, 1, 1]) {
    gradients.fill(gradient);
    optimizer.step();
  }
  expect([...weights]).toEqual([-7, -7]);
});

test("a moving average follows the weights and takes their place when it is due, and at the end", () => {
  const config: OptimizerConfig = { name: "sgd", learningRate: 1, useEma: true, emaMomentum: 0.5 };
  const whole = fixed([0], config);
  whole.gradients.fill(-1);
  for (let i = 0; i < 3; i++) whole.optimizer.step();
  expect([...whole.weights]).toEqual([3]);
  whole.optimizer.finish();
  expect([...whole.weights]).toEqual([2.25]);
  const often = fixed([0], { ...config, emaOverwriteFrequency: 2 });
  often.gradients.fill(-1);
  for (let i = 0; i < 2; i++) often.optimizer.step();
  expect([...often.weights]).toEqual([1.5]);
});

test("one cycle rises to the largest rate and falls to almost nothing", () => {
  const cycle = { schedule: "one_cycle", maxLearningRate: 0.1, totalSteps: 10 } as const;
  const rates = [0, 1, 2, 9, 50].map((step) => learningRateAt(cycle, step));
  [0.004, 0.052, 0.1, 4e-7, 4e-7].forEach((rate, i) => expect(rates[i]).toBeCloseTo(rate, 9));
  expect(learningRateAt({ ...cycle, annealing: "linear" }, 5.5)).toBeCloseTo(0.1 - (0.1 - 4e-7) / 2, 9);
});

test("an optimizer restored with its slots goes on exactly", () => {
  const config: OptimizerConfig = { name: "sgd", momentum: 0.9, nesterov: true };
  const { gradients, optimizer, weights } = fixed([1, 2], config);
  gradients.set([1, -1]);
  optimizer.step();
  const saved = optimizer.state();
  const resumed = fixed([...weights], config);
  resumed.optimizer.restore(saved);
  expect(resumed.optimizer.iterations).toBe(1);
});

test("unknown optimizers and arguments are refused by name", () => {
  expect(() => parseOptimizer("adan")).toThrow(/Known optimizers: sgd, rmsprop, adam, adamw/);
  expect(() => parseOptimizer({ name: "adam", learningrate: 1 })).toThrow(/learningrate/);
  expect(() => parseOptimizer({ name: "sgd", clipnorm: 1, clipvalue: 1 })).toThrow(/Only one/);
});
