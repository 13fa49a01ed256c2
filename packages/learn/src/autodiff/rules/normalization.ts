import { floatAttribute, integerAttribute } from "../../onnx/attributes.ts";
import type { GraphBuilder } from "../../onnx/builder.ts";
import type { Value } from "../../onnx/graph.ts";
import { normaliseAxis } from "../../onnx/shape.ts";
import { firstOf, type GradientInput, type GradientRule, inputOf, unbroadcast } from "../rule.ts";

const mul = (b: GraphBuilder, x: Value, y: Value): Value => b.apply("Mul", [x, y]);
const mean = (b: GraphBuilder, x: Value, axes: readonly number[]): Value =>
  b.apply("ReduceMean", [x, b.integers(axes)]);

/** A weight per channel [channels] beside [batch, channels, …]. */
const perChannel = (builder: GraphBuilder, weight: Value, rank: number): Value =>
  builder.apply("Reshape", [weight, builder.integers([1, -1, ...Array.from({ length: rank - 2 }, () => 1)])]);

/** Sums over everything but the channels. */
const overChannels = (builder: GraphBuilder, value: Value): Value =>
  builder.apply("ReduceSum", [value, builder.integers(value.shape.flatMap((_, axis) => (axis === 1 ? [] : [axis])))], {
    attributes: { keepdims: 0 },
  });

/** Through x̂ = (x − mean) · inverse: inverse · (d − mean(d) − x̂ · mean(d · x̂)). */
const throughStandardised = (
  builder: GraphBuilder,
  d: Value,
  parts: { readonly standard: Value; readonly inverse: Value; readonly axes: readonly number[] },
): Value => {
  const { standard, inverse, axes } = parts;
  const projected = mul(builder, standard, mean(builder, mul(builder, d, standard), axes));
  const rest = builder.apply("Sub", [builder.apply("Sub", [d, mean(builder, d, axes)]), projected]);
  return mul(builder, rest, inverse);
};

const statisticsOf = (input: GradientInput): { readonly centre: Value; readonly inverse: Value } => {
  const { builder, node } = input;
  const [, centre, inverse] = input.outputs;
  if (centre !== undefined && inverse !== undefined) return { centre, inverse };
  const [, again, once] = builder.applyMany("LayerNormalization", input.inputs, {
    attributes: node.attributes,
    outputCount: 3,
  });
  if (again === undefined || once === undefined) throw new RangeError("LayerNormalization gave no statistics.");
  return { centre: again, inverse: once };
};

/** Layer normalisation over the trailing axes (Ba et al. 2016). */
const layerNormalization: GradientRule = (input) => {
  const { builder, node, wanted } = input;
  const { dy } = firstOf(input);
  const [x, scale] = [inputOf(input, 0), inputOf(input, 1)];
  const from = normaliseAxis(integerAttribute(node.attributes, "axis", -1), x.shape.length);
  const axes = x.shape.flatMap((_, axis) => (axis < from ? [] : [axis]));
  const { centre, inverse } = statisticsOf(input);
  const standard = mul(builder, builder.apply("Sub", [x, centre]), inverse);
  const bias = input.inputs[2];
  return [
    wanted[0] ? throughStandardised(builder, mul(builder, dy, scale), { standard, inverse, axes }) : undefined,
    wanted[1] ? unbroadcast(builder, mul(builder, dy, standard), scale) : undefined,
    bias !== undefined && wanted[2] ? unbroadcast(builder, dy, bias) : undefined,
  ];
};

/** Batch normalisation with fixed statistics, as exported networks have it; the statistics get no gradient. */
const batchNormalization: GradientRule = (input) => {
  const { builder, node, wanted } = input;
  const { dy } = firstOf(input);
  const x = inputOf(input, 0);
  const rank = x.shape.length;
  const [scale, , centre, variance] = [1, 2, 3, 4].map((index) => perChannel(builder, inputOf(input, index), rank)) as [
    Value,
    Value,
    Value,
    Value,
  ];
  const epsilon = builder.scalarLike(x, floatAttribute(node.attributes, "epsilon", 1e-5));
  const inverse = builder.apply("Reciprocal", [builder.apply("Sqrt", [builder.apply("Add", [variance, epsilon])])]);
  const standard = (): Value => mul(builder, builder.apply("Sub", [x, centre]), inverse);
  return [
    wanted[0] ? mul(builder, dy, mul(builder, scale, inverse)) : undefined,
    wanted[1] ? overChannels(builder, mul(builder, dy, standard())) : undefined,
    wanted[2] ? overChannels(builder, dy) : undefined,
  ];
};

/** Instance normalisation: each channel of each sample by its own mean and variance (Ulyanov et al. 2016). */
const instanceNormalization: GradientRule = (input) => {
  const { builder, node, wanted } = input;
  const { dy } = firstOf(input);
  const x = inputOf(input, 0);
  const axes = x.shape.flatMap((_, axis) => (axis < 2 ? [] : [axis]));
  const centred = builder.apply("Sub", [x, mean(builder, x, axes)]);
  const variance = mean(builder, mul(builder, centred, centred), axes);
  const epsilon = builder.scalarLike(x, floatAttribute(node.attributes, "epsilon", 1e-5));
  const inverse = builder.apply("Reciprocal", [builder.apply("Sqrt", [builder.apply("Add", [variance, epsilon])])]);
  const standard = mul(builder, centred, inverse);
  const scale = perChannel(builder, inputOf(input, 1), x.shape.length);
  return [
    wanted[0] ? throughStandardised(builder, mul(builder, dy, scale), { standard, inverse, axes }) : undefined,
    wanted[1] ? overChannels(builder, mul(builder, dy, standard)) : undefined,
    wanted[2] ? overChannels(builder, dy) : undefined,
  ];
};

/** Gradients of operators that normalise. */
export const normalizationRules: Readonly<Record<string, GradientRule>> = {
  LayerNormalization: layerNormalization,
  BatchNormalization: batchNormalization,
  InstanceNormalization: instanceNormalization,
};
