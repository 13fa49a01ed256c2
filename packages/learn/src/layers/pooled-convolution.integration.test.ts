import fc from "fast-check";
import { expect, test } from "vitest";
import { differentiate } from "../autodiff/index.ts";
import { GraphBuilder } from "../onnx/builder.ts";
import { encodeModel } from "../onnx/encode.ts";
import type { Value } from "../onnx/graph.ts";
import { elementCount } from "../onnx/tensor.ts";
import { onnxRuntimeExecutor } from "../onnxruntime-node/index.ts";
import { createRandom } from "../random.ts";
import type { TensorData } from "../training/executor.ts";
import { emitPooledConvolution } from "./pooled-convolution.ts";

const executor = onnxRuntimeExecutor({ intraOpNumThreads: 1 });

const cases = fc.record({
  channels: fc.constantFrom(1, 2, 3),
  filters: fc.constantFrom(1, 4),
  size: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
  strides: fc.constantFrom([1, 1], [2, 1]),
  pool: fc.constantFrom([2, 2], [1, 2], [3, 2]),
  pads: fc.constantFrom([0, 0, 0, 0], [1, 0, 1, 2]),
  spatial: fc.tuple(fc.integer({ min: 7, max: 12 }), fc.integer({ min: 7, max: 12 })),
  bias: fc.boolean(),
  seed: fc.nat(),
});

type Case = typeof cases extends fc.Arbitrary<infer Shape> ? Shape : never;

/** Values and gradients of kernel and bias under a loss that weighs every element differently; undefined if not rewritten. */
const evaluate = async (test: Case, rewritten: boolean): Promise<readonly number[][] | undefined> => {
  const builder = new GraphBuilder();
  const x = builder.input("x", "float32", [3, test.channels, ...test.spatial]);
  const kernel = builder.input("kernel", "float32", [test.filters, test.channels, ...test.size]);
  const bias = test.bias ? [builder.input("bias", "float32", [test.filters])] : [];
  const { size: kernel_shape, strides, pads } = test;
  const convolved = builder.apply("Conv", [x, kernel, ...bias], { attributes: { kernel_shape, strides, pads } });
  const pooling = { kernel_shape: test.pool, strides: test.pool };
  const y: Value | undefined = rewritten
    ? emitPooledConvolution(builder, convolved, pooling)
    : builder.apply("MaxPool", [convolved], { attributes: pooling });
  if (y === undefined) return undefined;
  const weights = builder.input("weights", "float32", y.shape);
  const axes = builder.integers(y.shape.map((_, axis) => axis));
  const loss = builder.apply("ReduceSum", [builder.apply("Mul", [y, weights]), axes], { attributes: { keepdims: 0 } });
  const gradients = differentiate(builder, { loss, withRespectTo: [x, kernel, ...bias] });
  const outputs = Object.fromEntries([y, ...gradients].map((value, index) => [`o${index}`, value]));
  const graph = builder.finish("check", outputs);
  await using session = await executor.load(encodeModel(graph));
  const random = createRandom(test.seed);
  const feeds = graph.inputs.map(({ name, shape }): [string, TensorData] => {
    const lengths = shape.map(Number);
    // Few different pixels, weights whose sums are exact: equal values in a window are the rule, as in an image's margins.
    const draw = (): number => Math.floor(random.uniform() * (name === "x" ? 2 : 9)) / (name === "x" ? 1 : 8) - 0.5;
    const values = Float32Array.from({ length: elementCount(lengths) }, draw);
    return [name, { dtype: "float32", shape: lengths, values }];
  });
  const results = await session.run(Object.fromEntries(feeds));
  return Object.keys(outputs).map((name) => Array.from(results[name]?.values as Float32Array));
};

test("a convolution with pooling, written as one maximum, has the values and gradients of Conv and MaxPool", async () => {
  await fc.assert(
    fc.asyncProperty(cases, async (test) => {
      const [expected, actual] = [await evaluate(test, false), await evaluate(test, true)];
      fc.pre(actual !== undefined);
      for (const [index, values] of (expected ?? []).entries()) {
        expect(actual?.[index]?.length).toBe(values.length);
        for (const [at, value] of values.entries()) expect(actual?.[index]?.[at]).toBeCloseTo(value, 4);
      }
    }),
    { numRuns: 40 },
  );
}, 60_000);
