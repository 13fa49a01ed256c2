import { describe, expect, test } from "vitest";
import { LearnError } from "../errors.ts";
import { GraphBuilder } from "../onnx/builder.ts";
import type { Attributes, Value } from "../onnx/graph.ts";
import { onnxRuntimeExecutor } from "../onnxruntime-node/index.ts";
import { checkGradients, type GradientCase } from "./central-differences.ts";
import { differentiate, gradientRules } from "./differentiate.ts";

const executor = onnxRuntimeExecutor({ intraOpNumThreads: 1 });

const op =
  (operator: string, attributes: Attributes = {}): GradientCase["build"] =>
  (builder, inputs) =>
    builder.apply(operator, inputs, { attributes });

const withAxes =
  (operator: string, axes: readonly number[], attributes: Attributes = {}): GradientCase["build"] =>
  (builder, [x]) =>
    builder.apply(operator, [x, builder.integers(axes)], { attributes });

const positive = [0.5, 2] as const;
const image = { dtype: "float32", step: 0.05 } as const;

/** The operator each case is about is the part of its name before a space. */
const cases: Readonly<Record<string, GradientCase>> = {
  Identity: { shapes: [[2, 3]], build: op("Identity") },
  Add: {
    shapes: [
      [2, 3],
      [2, 3],
    ],
    build: op("Add"),
  },
  "Add broadcast": {
    shapes: [
      [4, 2, 3],
      [2, 1],
    ],
    build: op("Add"),
  },
  "Sub broadcast": { shapes: [[3], [2, 3]], build: op("Sub") },
  "Mul broadcast": {
    shapes: [
      [2, 1, 3],
      [4, 1],
    ],
    build: op("Mul"),
  },
  "Div broadcast": {
    shapes: [
      [2, 3],
      [1, 3],
    ],
    build: op("Div"),
    range: positive,
  },
  Pow: {
    shapes: [
      [2, 3],
      [2, 3],
    ],
    build: op("Pow"),
    range: positive,
  },
  "Max broadcast": { shapes: [[2, 3], [3]], build: op("Max") },
  "Min broadcast": {
    shapes: [
      [2, 3],
      [2, 1],
    ],
    build: op("Min"),
  },
  Neg: { shapes: [[5]], build: op("Neg") },
  Abs: { shapes: [[7]], build: op("Abs") },
  Exp: { shapes: [[7]], build: op("Exp") },
  Log: { shapes: [[7]], build: op("Log"), range: positive },
  Sqrt: { shapes: [[7]], build: op("Sqrt"), range: positive },
  Reciprocal: { shapes: [[7]], build: op("Reciprocal"), range: positive },
  Erf: { shapes: [[9]], build: op("Erf"), dtype: "float32" },
  Relu: { shapes: [[9]], build: op("Relu") },
  Sigmoid: { shapes: [[9]], build: op("Sigmoid") },
  Tanh: { shapes: [[9]], build: op("Tanh") },
  Elu: { shapes: [[9]], build: op("Elu", { alpha: { float: 0.7 } }), dtype: "float32" },
  LeakyRelu: { shapes: [[9]], build: op("LeakyRelu", { alpha: { float: 0.2 } }), dtype: "float32", step: 1e-3 },
  Softplus: { shapes: [[9]], build: op("Softplus"), dtype: "float32" },
  Softmax: { shapes: [[3, 5]], build: op("Softmax", { axis: -1 }) },
  "Softmax inner axis": { shapes: [[2, 3, 4]], build: op("Softmax", { axis: 1 }) },
  LogSoftmax: { shapes: [[3, 5]], build: op("LogSoftmax", { axis: -1 }) },
  Clip: {
    shapes: [[9]],
    build: (b, [x]) => b.apply("Clip", [x, b.scalarLike(x as Value, -0.5), b.scalarLike(x as Value, 0.5)]),
  },
  Where: {
    shapes: [[2, 3], [3]],
    build: (b, [x, y]) => b.apply("Where", [b.apply("Greater", [x, y]), x, b.apply("Mul", [y, y])]),
  },
  Cast: { shapes: [[5]], build: (b, [x]) => b.cast(b.cast(x as Value, "float64"), "float32"), dtype: "float32" },
  Gemm: { shapes: [[2, 3], [3, 4], [4]], build: op("Gemm") },
  "Gemm transposed": {
    shapes: [
      [3, 2],
      [4, 3],
    ],
    build: op("Gemm", { transA: 1, transB: 1 }),
  },
  "Gemm scaled": {
    shapes: [
      [2, 3],
      [4, 3],
      [1, 4],
    ],
    build: op("Gemm", { transB: 1, alpha: { float: 0.5 }, beta: { float: 2 } }),
  },
  MatMul: {
    shapes: [
      [2, 3],
      [3, 4],
    ],
    build: op("MatMul"),
  },
  "MatMul stacked": {
    shapes: [
      [5, 2, 3],
      [5, 3, 4],
    ],
    build: op("MatMul"),
  },
  "MatMul broadcast": {
    shapes: [
      [5, 2, 3],
      [3, 4],
    ],
    build: op("MatMul"),
  },
  ReduceSum: { shapes: [[2, 3, 4]], build: withAxes("ReduceSum", [0, 2], { keepdims: 0 }) },
  ReduceMean: { shapes: [[2, 3, 4]], build: withAxes("ReduceMean", [1], { keepdims: 1 }) },
  Reshape: { shapes: [[2, 6]], build: (b, [x]) => b.apply("Reshape", [x, b.integers([3, 4])]) },
  Flatten: { shapes: [[2, 3, 2]], build: op("Flatten", { axis: 1 }) },
  Squeeze: { shapes: [[2, 1, 3]], build: withAxes("Squeeze", [1]) },
  Unsqueeze: { shapes: [[2, 3]], build: withAxes("Unsqueeze", [0, 3]) },
  Transpose: { shapes: [[2, 3, 4]], build: op("Transpose", { perm: [2, 0, 1] }) },
  Concat: {
    shapes: [
      [2, 3],
      [2, 1],
      [2, 2],
    ],
    build: op("Concat", { axis: 1 }),
  },
  Expand: { shapes: [[3, 1]], build: (b, [x]) => b.apply("Expand", [x, b.integers([2, 3, 4])]) },
  Conv: { ...image, shapes: [[2, 3, 6, 5], [4, 3, 3, 2], [4]], build: op("Conv", { kernel_shape: [3, 2] }) },
  "Conv strided, padded": {
    ...image,
    shapes: [[2, 2, 7, 6], [3, 2, 3, 3], [3]],
    build: op("Conv", { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 0, 1, 1] }),
  },
  "Conv dilated": {
    ...image,
    shapes: [
      [2, 2, 7, 7],
      [2, 2, 2, 2],
    ],
    build: op("Conv", { kernel_shape: [2, 2], dilations: [2, 2], strides: [2, 1] }),
  },
  "Conv grouped": {
    ...image,
    shapes: [[2, 4, 5, 5], [6, 2, 3, 3], [6]],
    build: op("Conv", { kernel_shape: [3, 3], group: 2, pads: [1, 1, 1, 1] }),
  },
  MaxPool: { shapes: [[2, 2, 4, 6]], build: op("MaxPool", { kernel_shape: [2, 2], strides: [2, 2] }) },
  "MaxPool single precision": {
    shapes: [[2, 2, 4, 6]],
    build: op("MaxPool", { kernel_shape: [2, 2], strides: [2, 2] }),
    dtype: "float32",
    step: 1e-3,
  },
  "MaxPool overlapping": { shapes: [[1, 2, 5, 5]], build: op("MaxPool", { kernel_shape: [3, 3], strides: [2, 2] }) },
  AveragePool: {
    ...image,
    shapes: [[2, 2, 4, 4]],
    build: op("AveragePool", { kernel_shape: [2, 2], strides: [2, 2] }),
  },
  "AveragePool padded": {
    ...image,
    shapes: [[1, 2, 5, 5]],
    build: op("AveragePool", { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }),
  },
  GlobalAveragePool: { ...image, shapes: [[2, 3, 4, 4]], build: op("GlobalAveragePool") },
};

describe("the gradient by rule equals central differences", () => {
  test.each(Object.keys(cases))("%s", async (name) => {
    const gradientCase = cases[name];
    if (gradientCase === undefined) throw new Error(name);
    const errors = await checkGradients(executor, gradientCase);
    for (const { error } of errors) expect(error).toBeLessThan(gradientCase.dtype === "float32" ? 5e-3 : 1e-6);
  });
});

test("every rule of the registry has a case", () => {
  const covered = new Set(Object.keys(cases).map((name) => name.split(" ")[0]));
  expect([...gradientRules.keys()].filter((operator) => !covered.has(operator))).toEqual([]);
});

test("an operator without a rule is named together with its node", () => {
  const builder = new GraphBuilder();
  const x = builder.input("x", "float32", [3]);
  const y = builder.apply("HardSwish", [x], { name: "swish" });
  const loss = builder.apply("ReduceSum", [y, builder.integers([0])], { attributes: { keepdims: 0 } });
  const attempt = (): unknown => differentiate(builder, { loss, withRespectTo: [x] });
  expect(attempt).toThrow(LearnError);
  expect(attempt).toThrow(/HardSwish:swish.*HardSwish/);
});
