import type { GraphBuilder } from "../onnx/builder.ts";
import type { Value } from "../onnx/graph.ts";
import { int64s } from "../onnx/tensor.ts";
import { activationOptions } from "./activation-config.ts";
import type { Activation, ActivationArguments, ActivationName } from "./activation-config.ts";

/** Writes one activation. */
type Emit = (builder: GraphBuilder, x: Value, options: ActivationArguments) => Value;

const operator =
  (name: string): Emit =>
  (builder, x) =>
    builder.apply(name, [x]);

const add = (builder: GraphBuilder, x: Value, value: number): Value =>
  builder.apply("Add", [x, builder.scalarLike(x, value)]);

const times = (builder: GraphBuilder, x: Value, value: number): Value =>
  builder.apply("Mul", [x, builder.scalarLike(x, value)]);

const clip = (builder: GraphBuilder, x: Value, [low, high]: readonly [number, number | undefined]): Value =>
  builder.apply("Clip", [x, builder.scalarLike(x, low), high === undefined ? undefined : builder.scalarLike(x, high)]);

const gelu: Emit = (builder, x, { approximate = false }) => {
  const half = times(builder, x, 0.5);
  if (!approximate) {
    const erf = builder.apply("Erf", [times(builder, x, Math.SQRT1_2)]);
    return builder.apply("Mul", [half, add(builder, erf, 1)]);
  }
  const cube = builder.apply("Mul", [builder.apply("Mul", [x, x]), x]);
  const inner = builder.apply("Add", [x, times(builder, cube, 0.044715)]);
  const tanh = builder.apply("Tanh", [times(builder, inner, Math.sqrt(2 / Math.PI))]);
  return builder.apply("Mul", [half, add(builder, tanh, 1)]);
};

const leakyRelu = (builder: GraphBuilder, x: Value, slope: number): Value =>
  builder.apply("LeakyRelu", [x], { attributes: { alpha: { float: slope } } });

/** Values at or below the threshold fall to slope · (x − threshold), values above the maximum to it. */
const relu: Emit = (builder, x, { maxValue, negativeSlope = 0, threshold = 0 }) => {
  if (threshold === 0 && maxValue === undefined) {
    return negativeSlope === 0 ? builder.apply("Relu", [x]) : leakyRelu(builder, x, negativeSlope);
  }
  const limit = builder.scalarLike(x, threshold);
  const zero = builder.scalarLike(x, 0);
  const kept = threshold === 0 ? x : builder.apply("Where", [builder.apply("Greater", [x, limit]), x, zero]);
  const upper = clip(builder, kept, [0, maxValue]);
  if (negativeSlope === 0) return upper;
  const below = builder.apply("Relu", [builder.apply("Sub", [limit, x])]);
  return builder.apply("Sub", [upper, times(builder, below, negativeSlope)]);
};

const shrink =
  (bias: boolean): Emit =>
  (builder, x, { threshold = 0.5 }) =>
    builder.apply("Shrink", [x], {
      attributes: { lambd: { float: threshold }, bias: { float: bias ? threshold : 0 } },
    });

const alpha =
  (name: string): Emit =>
  (builder, x, { alpha = 1 }) =>
    builder.apply(name, [x], { attributes: { alpha: { float: alpha } } });

const hardSigmoid: Emit = (builder, x) =>
  builder.apply("HardSigmoid", [x], { attributes: { alpha: { float: 1 / 6 }, beta: { float: 0.5 } } });

const hardSilu: Emit = (builder, x, options) => builder.apply("Mul", [x, hardSigmoid(builder, x, options)]);

const silu: Emit = (builder, x) => builder.apply("Mul", [x, builder.apply("Sigmoid", [x])]);

const sparsePlus: Emit = (builder, x) => {
  const middle = add(builder, clip(builder, x, [-1, 1]), 1);
  const square = times(builder, builder.apply("Mul", [middle, middle]), 0.25);
  return builder.apply("Add", [square, builder.apply("Relu", [add(builder, x, -1)])]);
};

const squareplus: Emit = (builder, x, { b = 4 }) => {
  const root = builder.apply("Sqrt", [add(builder, builder.apply("Mul", [x, x]), b)]);
  return times(builder, builder.apply("Add", [x, root]), 0.5);
};

const threshold: Emit = (builder, x, { threshold = 0, defaultValue = 0 }) =>
  builder.apply("Where", [
    builder.apply("Greater", [x, builder.scalarLike(x, threshold)]),
    x,
    builder.scalarLike(x, defaultValue),
  ]);

const along =
  (name: string): Emit =>
  (builder, x, { axis = -1 }) =>
    builder.apply(name, [x], { attributes: { axis } });

const glu: Emit = (builder, x, { axis = -1 }) => {
  const halves = builder.applyMany("Split", [x], { attributes: { axis, num_outputs: 2 }, outputCount: 2 });
  const [left = x, right = x] = halves;
  return builder.apply("Mul", [left, builder.apply("Sigmoid", [right])]);
};

/**
 * Sparsemax: the Euclidean projection onto the probability simplex (Martins and Astudillo 2016). Which elements stay is
 * found from the sorted values; given them, each is x − (Σ kept − 1) / number, so that the gradient is exact.
 */
const sparsemax: Emit = (builder, x, { axis = -1 }) => {
  const along = axis < 0 ? axis + x.shape.length : axis;
  const length = Number(x.shape[along] ?? 1);
  const [sorted = x] = builder.applyMany("TopK", [x, builder.constant(int64s([length]))], {
    attributes: { axis: along },
    outputCount: 2,
  });
  const axisInput = builder.constant({ dtype: "int64", shape: [], values: BigInt64Array.of(BigInt(along)) });
  const cumulated = builder.apply("CumSum", [sorted, axisInput]);
  const counts = builder.constant({
    dtype: x.dtype,
    shape: x.shape.map((_, at) => (at === along ? length : 1)),
    values: Float32Array.from({ length }, (_, k) => k + 1),
  });
  const inside = builder.apply("Greater", [add(builder, builder.apply("Mul", [sorted, counts]), 1), cumulated]);
  const over = builder.integers([along]);
  const sum = (value: Value): Value => builder.apply("ReduceSum", [value, over], { attributes: { keepdims: 1 } });
  const size = sum(builder.cast(inside, x.dtype));
  const top = sum(builder.apply("Mul", [sorted, builder.cast(inside, x.dtype)]));
  const limit = builder.apply("Div", [add(builder, top, -1), size]);
  const kept = builder.cast(builder.apply("Greater", [x, limit]), x.dtype);
  const level = builder.apply("Div", [add(builder, sum(builder.apply("Mul", [x, kept])), -1), sum(kept)]);
  return builder.apply("Mul", [builder.apply("Sub", [x, level]), kept]);
};

const emitters: Readonly<Record<ActivationName, Emit>> = {
  linear: (_, x) => x,
  relu,
  relu6: (builder, x) => clip(builder, x, [0, 6]),
  leaky_relu: (builder, x, { negativeSlope = 0.2 }) => leakyRelu(builder, x, negativeSlope),
  elu: alpha("Elu"),
  selu: operator("Selu"),
  celu: alpha("Celu"),
  gelu,
  silu,
  swish: silu,
  mish: (builder, x) => builder.apply("Mul", [x, builder.apply("Tanh", [builder.apply("Softplus", [x])])]),
  sigmoid: operator("Sigmoid"),
  hard_sigmoid: hardSigmoid,
  hard_silu: hardSilu,
  hard_swish: hardSilu,
  log_sigmoid: (builder, x) => builder.apply("Neg", [builder.apply("Softplus", [builder.apply("Neg", [x])])]),
  sparse_sigmoid: (builder, x) => times(builder, add(builder, clip(builder, x, [-1, 1]), 1), 0.5),
  tanh: operator("Tanh"),
  hard_tanh: (builder, x) => clip(builder, x, [-1, 1]),
  tanh_shrink: (builder, x) => builder.apply("Sub", [x, builder.apply("Tanh", [x])]),
  soft_shrink: shrink(true),
  hard_shrink: shrink(false),
  threshold,
  softplus: operator("Softplus"),
  sparse_plus: sparsePlus,
  squareplus,
  softsign: operator("Softsign"),
  exponential: operator("Exp"),
  glu,
  softmax: along("Softmax"),
  log_softmax: along("LogSoftmax"),
  sparsemax,
};

/**
 * Applies an activation. Those that run along an axis (see `isElementwise`) need their input in the public layout.
 * Source of the definitions: keras/src/activations/activations.py.
 */
export const emitActivation = (builder: GraphBuilder, x: Value, activation: Activation): Value => {
  const { name, ...options } = activationOptions(activation);
  return emitters[name](builder, x, options);
};
