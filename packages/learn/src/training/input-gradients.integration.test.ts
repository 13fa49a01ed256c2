import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { goldenArray } from "../../../../tests/kit/golden.ts";
import {
  batchNormalization,
  conv2d,
  dense,
  dropout,
  flatten,
  importOnnx,
  input,
  lstm,
  maxPooling2d,
  sequential,
} from "../index.ts";
import type { ModelDefinition } from "../definition/definition.ts";
import { onnxRuntimeExecutor } from "../onnxruntime-node/index.ts";
import { compile, type Learner } from "./learner.ts";

const executor = onnxRuntimeExecutor({ intraOpNumThreads: 1 });

const samples = (shape: readonly number[], count: number) => {
  const length = shape.reduce((product, one) => product * one, count);
  return { shape: [count, ...shape], values: Float32Array.from({ length }, (_, i) => Math.sin(1.7 * i)) };
};

/** Largest difference to central differences of the predicted class values, at a few places of each sample. */
const errorOf = async (learner: Learner, x: ReturnType<typeof samples>): Promise<number> => {
  const count = x.shape[0] ?? 1;
  const classes = learner.model.layers.at(-1)?.outputShape.at(-1) ?? 1;
  const elements = Array.from({ length: count }, (_, i) => i % classes);
  const [gradient] = Object.values(await learner.inputGradients(x, { elements }));
  expect(gradient?.shape).toEqual(x.shape);
  const width = x.values.length / count;
  let worst = 0;
  for (let at = 0; at < width; at += Math.ceil(width / 6)) {
    const moved = async (step: number): Promise<Float32Array> => {
      const values = x.values.slice();
      for (let sample = 0; sample < count; sample++)
        values[sample * width + at] = (values[sample * width + at] ?? 0) + step;
      return (await learner.predict({ shape: x.shape, values })).values;
    };
    const [above, below] = [await moved(5e-3), await moved(-5e-3)];
    for (let sample = 0; sample < count; sample++) {
      const place = sample * classes + (elements[sample] ?? 0);
      const difference = ((above[place] ?? NaN) - (below[place] ?? NaN)) / 1e-2;
      worst = Math.max(worst, Math.abs(difference - (gradient?.values[sample * width + at] ?? NaN)));
    }
  }
  return worst;
};

const nets: Readonly<Record<string, ModelDefinition>> = {
  "a convolutional net": sequential([
    input({ shape: [6, 6, 2] }),
    conv2d({ filters: 3, kernelSize: 3, activation: "tanh" }),
    batchNormalization(),
    maxPooling2d(),
    flatten(),
    dropout({ rate: 0.5 }),
    dense({ units: 3 }),
  ]),
  "a recurrent net": sequential([
    input({ shape: [5, 3] }),
    lstm({ units: 4 }),
    dense({ units: 2, activation: "softmax" }),
  ]),
};

test.each(Object.keys(nets))("the gradients by the input of %s are those of its predictions", async (name) => {
  const definition = nets[name] as ModelDefinition;
  await using learner = await compile(definition, { loss: "mse", executor });
  const [shape = []] = learner.model.layers.map(({ outputShape }) => outputShape);
  // More samples than one run takes.
  expect(await errorOf(learner, samples(shape, 37))).toBeLessThan(2e-3);
});

test("an imported model has gradients by its input too", async () => {
  const file = new URL("../../../../tests/fixtures/golden/onnx_torch/lstm_gru.onnx", import.meta.url);
  const imported = importOnnx(new Uint8Array(readFileSync(file)));
  await using learner = await compile(imported.definition, { loss: "mse", executor });
  for (const [name, { values }] of imported.weights) learner.setWeight(name, values);
  const x = goldenArray("onnx_torch/lstm_gru.series.npy");
  expect(await errorOf(learner, { shape: [...x.shape], values: x.values as Float32Array<ArrayBuffer> })).toBeLessThan(
    2e-3,
  );
});
