import { expect, test } from "vitest";
import type { CompileOptions } from "../index.ts";
import { conv2d, dense, dropout, input, sequential } from "../index.ts";

/** Compiles only if the compiler refuses each marked line; the calls themselves are never checked when they run. */
const wrongArguments = (): readonly unknown[] => [
  // @ts-expect-error: units are missing
  dense({}),
  // @ts-expect-error: no such activation
  dense({ units: 1, activation: "rellu" }),
  // @ts-expect-error: no such argument
  dense({ units: 1, colour: "red" }),
  // @ts-expect-error: no such regularizer
  dense({ units: 1, kernelRegularizer: "l3" }),
  // @ts-expect-error: l2 has no l1
  dense({ units: 1, kernelRegularizer: { name: "l2", l1: 0.1 } }),
  // @ts-expect-error: a norm is a number
  dense({ units: 1, kernelConstraint: { name: "max_norm", maxValue: "2" } }),
  // @ts-expect-error: no such padding
  conv2d({ filters: 1, kernelSize: 3, padding: "valild" }),
  // @ts-expect-error: three lengths for two axes
  conv2d({ filters: 1, kernelSize: [3, 3, 3] }),
  // @ts-expect-error: a dropout without a rate
  dropout(),
  // @ts-expect-error: a shape is a list
  input({ shape: 28 }),
  // @ts-expect-error: a layer is not its name
  sequential(["dense"]),
];

const wrongOptions = (): readonly Partial<CompileOptions>[] => [
  // @ts-expect-error: no such loss
  { loss: "mean_square" },
  // @ts-expect-error: huber has no gamma
  { loss: { name: "huber", gamma: 2 } },
  // @ts-expect-error: no such metric
  { metrics: ["acuracy"] },
  // @ts-expect-error: Lion divides by nothing
  { optimizer: { name: "lion", epsilon: 1 } },
  // @ts-expect-error: a cosine without its length
  { optimizer: { name: "sgd", learningRate: { schedule: "cosine_decay", initialLearningRate: 1 } } },
];

test("a wrong argument does not compile; what is right does, and is plain data", () => {
  expect(wrongArguments).toBeTypeOf("function");
  expect(wrongOptions).toBeTypeOf("function");
  const definition = sequential([
    input({ shape: [8, 8, 1] }),
    conv2d({ filters: 2, kernelSize: 3, kernelRegularizer: { name: "l1_l2", l1: 0.1 }, kernelConstraint: "unit_norm" }),
    dense({ units: 3, activation: "softmax", trainable: false, activityRegularizer: "l1" }),
  ]);
  expect(JSON.parse(JSON.stringify(definition))).toEqual(definition);
});
