import { describe, expect, test } from "vitest";
import { differentiate } from "../autodiff/index.ts";
import type { LayerSpec } from "../definition/definition.ts";
import { resolveDefinition } from "../definition/resolve.ts";
import { initialize } from "../initializers/index.ts";
import { GraphBuilder } from "../onnx/builder.ts";
import { encodeModel } from "../onnx/encode.ts";
import type { Value } from "../onnx/graph.ts";
import { elementCount } from "../onnx/tensor.ts";
import { onnxRuntimeExecutor } from "../onnxruntime-node/index.ts";
import { createRandom } from "../random.ts";
import type { TensorData } from "../training/executor.ts";
import { emitModel } from "../training/network.ts";
import { layerCases } from "./layer-cases.ts";
import { layerKinds } from "./registry.ts";

const executor = onnxRuntimeExecutor({ intraOpNumThreads: 1 });
const batch = 2;

const definitionOf = (layer: LayerSpec, shapes: readonly (readonly number[])[], front: LayerSpec | undefined) => {
  const inputs = shapes.map((shape, index) => ({ layer: "Input", name: `x${index}`, shape }));
  const fronts = front === undefined ? [] : [{ ...front, name: "front", inputs: ["x0"] }];
  const feeds = front === undefined ? inputs.map(({ name }) => name) : ["front", ...inputs.slice(1).map((i) => i.name)];
  return resolveDefinition({
    kind: "functional",
    layers: [...inputs, ...fronts, { ...layer, name: "tested", inputs: feeds }],
    inputs: inputs.map(({ name }) => name),
    outputs: ["tested"],
  });
};

const floats = (shape: readonly number[], next: () => number): TensorData => ({
  dtype: "float32",
  shape,
  values: Float32Array.from({ length: elementCount(shape) }, next),
});

describe("a layer's gradients by its weights and inputs equal central differences, and its shape is the one it says", () => {
  test.each(Object.keys(layerCases))("%s", async (name) => {
    const testCase = layerCases[name];
    if (testCase === undefined) throw new Error(name);
    const { args, shapes, numbers, front, step = 1e-2, tolerance = 2e-2 } = testCase;
    const model = definitionOf({ layer: name.split(/[ ,]/)[0] ?? "", ...args }, shapes, front);
    const random = createRandom(11);
    const builder = new GraphBuilder();
    const emitted = emitModel(builder, model, {
      batch,
      training: true,
      weight: (full, storage) => builder.input(full, "float32", storage.shape),
    });
    const [output] = emitted.outputs as [Value];
    const tested = model.layers.at(-1);
    expect(output.shape).toEqual([batch, ...(tested?.outputShape ?? [])]);
    const factors = builder.input("factors", "float32", output.shape);
    const loss = builder.apply("ReduceSum", [builder.apply("Mul", [output, factors])], {
      attributes: { keepdims: 0 },
    });
    const trainable = model.layers.flatMap((layer) =>
      layer.weights.filter((weight) => weight.trainable).map((weight) => `${layer.name}/${weight.name}`),
    );
    const sources = [...trainable, ...(numbers === undefined ? emitted.inputs.map((input) => input.name) : [])];
    const gradients = differentiate(builder, { loss, withRespectTo: sources.map((source) => builder.value(source)) });
    const outputs = Object.fromEntries(gradients.map((gradient, index) => [`gradient/${index}`, gradient]));
    await using session = await executor.load(encodeModel(builder.finish("layer", { loss, y: output, ...outputs })));
    const feeds: Record<string, TensorData> = {
      factors: floats(output.shape.map(Number), () => 2 * random.uniform() - 1),
    };
    for (const [index, input] of emitted.inputs.entries()) {
      const draw = numbers === undefined ? () => 2 * random.uniform() - 1 : () => random.integerBelow(numbers);
      feeds[input.name] = floats([batch, ...(shapes[index] ?? [])], draw);
    }
    for (const layer of model.layers) {
      for (const weight of layer.weights) {
        const full = `${layer.name}/${weight.name}`;
        const shape = emitted.storages.get(full)?.shape ?? weight.shape;
        const values = new Float32Array(elementCount(shape));
        initialize(values, weight.shape, { initializer: weight.initializer, random });
        if (weight.trainable) for (const i of values.keys()) values[i] = (values[i] as number) + 0.1 * random.normal();
        feeds[full] = { dtype: "float32", shape, values };
      }
    }
    for (const { name: mask, shape, rate } of emitted.masks) {
      feeds[mask] = floats(shape.map(Number), () => {
        if (rate === undefined) return random.normal();
        return random.uniform() < rate ? 0 : 1 / (1 - rate);
      });
    }
    const used = new Set(["factors", ...emitted.inputs.map((i) => i.name), ...emitted.storages.keys()]);
    for (const { name: mask } of emitted.masks) used.add(mask);
    const given = Object.fromEntries(Object.entries(feeds).filter(([key]) => used.has(key)));
    const analytic = await session.run(given);
    expect(analytic["y"]?.shape).toEqual([batch, ...(tested?.outputShape ?? [])]);
    const lossAt = async (): Promise<number> => Number((await session.run(given))["loss"]?.values[0]);
    for (const [index, source] of sources.entries()) {
      const x = given[source]?.values as Float32Array;
      const gradient = analytic[`gradient/${index}`]?.values as Float32Array;
      let [worst, largest] = [0, 0.1];
      for (let k = 0; k < x.length; k += Math.max(1, Math.floor(x.length / 40))) {
        const kept = x[k] as number;
        x[k] = kept + step;
        const above = await lossAt();
        x[k] = kept - step;
        const below = await lossAt();
        x[k] = kept;
        worst = Math.max(worst, Math.abs((above - below) / (2 * step) - (gradient[k] as number)));
        largest = Math.max(largest, Math.abs(gradient[k] as number));
      }
      expect(worst / largest, source).toBeLessThan(tolerance);
    }
  });
});

test("every kind of layer of the registry has a case", () => {
  const covered = new Set(Object.keys(layerCases).map((name) => name.split(/[ ,]/)[0]));
  expect([...layerKinds.keys()].filter((kind) => !covered.has(kind))).toEqual([]);
});
