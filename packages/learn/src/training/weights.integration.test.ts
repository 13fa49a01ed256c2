import { expect, test } from "vitest";
import { sequential, input } from "../definition/definition.ts";
import { dense } from "../index.ts";
import { onnxRuntimeExecutor } from "../onnxruntime-node/index.ts";
import { compile } from "./learner.ts";

test("optimizer slots never stay subnormal: a weight whose gradient stays zero costs no more than others", async () => {
  const model = sequential([input({ shape: [2] }), dense({ units: 1, name: "out" })]);
  await using learner = await compile(model, {
    loss: "mean_squared_error",
    executor: onnxRuntimeExecutor({ intraOpNumThreads: 1 }),
  });
  const slot = new Float32Array([1e-36, 0.5]);
  learner.weights.setSlot("out/kernel", 0, slot);
  learner.weights.setSlot("out/kernel", 1, slot);
  const samples = 1024;
  const x = { shape: [samples, 2], values: Float32Array.from({ length: samples * 2 }, (_, i) => i % 2) };
  await learner.fit(x, { shape: [samples, 1], values: new Float32Array(samples) }, { batchSize: 16, epochs: 1 });
  expect(learner.weights.slot("out/kernel", 0)?.[0]).toBe(0);
  expect(learner.weights.slot("out/kernel", 1)?.[0]).toBe(0);
  expect(learner.weights.slot("out/kernel", 1)?.[1]).toBeGreaterThan(0);
});
