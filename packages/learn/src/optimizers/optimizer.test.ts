import { describe, expect, test } from "vitest";
import { type OptimizerConfig, parseOptimizer } from "./config.ts";
import { TrainingMemory } from "./memory.ts";
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
  ])("%j", (config, expected) => {
    const { weights, gradients, optimizer } = fixed([1, 2, 3, 4], config);
    gradients.set([1, 6, 7, 2]);
    optimizer.step();
    closeTo(weights, expected, 4);
  });
});

test.each(["sgd", "adam", "adamw", "rmsprop"] as const)(
  "%s with a gradient of zero only decays the weight: 2·(1 − 0.004)³ after three steps",
  (name) => {
    const { weights, optimizer } = fixed([2], { name, learningRate: 1, weightDecay: 0.004 });
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
