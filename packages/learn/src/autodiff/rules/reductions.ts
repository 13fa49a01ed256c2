import { integerAttribute, integersAttribute } from "../../onnx/attributes.ts";
import type { Value } from "../../onnx/graph.ts";
import { normaliseAxis, requireStatic } from "../../onnx/shape.ts";
import { elementCount } from "../../onnx/tensor.ts";
import { firstOf, type GradientInput, type GradientRule, inputOf } from "../rule.ts";

const axesOf = (input: GradientInput): number[] => {
  const { rank } = { rank: inputOf(input, 0).shape.length };
  const second = input.inputs[1];
  const axes =
    integersAttribute(input.node.attributes, "axes") ?? (second && input.builder.constantNumbers(second.name)) ?? [];
  return axes.length === 0 ? Array.from({ length: rank }, (_, axis) => axis) : axes.map((a) => normaliseAxis(a, rank));
};

/** The upstream gradient, spread again over the axes that were summed. */
const spread = (input: GradientInput): Value => {
  const { builder, node } = input;
  const { dy } = firstOf(input);
  const x = inputOf(input, 0);
  const kept = integerAttribute(node.attributes, "keepdims", 1) === 1;
  const aligned = kept ? dy : builder.apply("Unsqueeze", [dy, builder.integers(axesOf(input))]);
  return builder.apply("Expand", [aligned, builder.integers(requireStatic(x.shape, "The gradient of a reduction"))]);
};

const mean: GradientRule = (input) => {
  const x = inputOf(input, 0);
  const shape = requireStatic(x.shape, "The gradient of ReduceMean");
  const count = elementCount(axesOf(input).map((axis) => shape[axis] ?? 1));
  return [input.builder.apply("Mul", [spread(input), input.builder.scalarLike(x, 1 / count)])];
};

/** The result of a reduction with its axes kept, so that it stands beside the input. */
const kept = (input: GradientInput, value: Value): Value =>
  integerAttribute(input.node.attributes, "keepdims", 1) === 1
    ? value
    : input.builder.apply("Unsqueeze", [value, input.builder.integers(axesOf(input))]);

/** ReduceMax and ReduceMin: equal winners share the gradient evenly. */
const extremum: GradientRule = (input) => {
  const { builder } = input;
  const { dy, y } = firstOf(input);
  const x = inputOf(input, 0);
  const won = builder.cast(builder.apply("Equal", [x, kept(input, y)]), dy.dtype);
  const winners = builder.apply("ReduceSum", [won, builder.integers(axesOf(input))]);
  return [builder.apply("Mul", [won, builder.apply("Div", [kept(input, dy), winners])])];
};

/** The derivative of a reduction of f(x) by the input, times what stands beside it. */
const along =
  (slope: (input: GradientInput, y: Value) => Value): GradientRule =>
  (input) => {
    const { builder } = input;
    const { dy, y } = firstOf(input);
    return [builder.apply("Mul", [slope(input, kept(input, y)), kept(input, dy)])];
  };

/** Gradients of sums, means and other reductions over axes. */
export const reductionRules: Readonly<Record<string, GradientRule>> = {
  ReduceSum: (input) => [spread(input)],
  ReduceMean: mean,
  ReduceMax: extremum,
  ReduceMin: extremum,
  ReduceProd: along((input, y) => input.builder.apply("Div", [y, inputOf(input, 0)])),
  ReduceL1: along((input) => input.builder.apply("Sign", [inputOf(input, 0)])),
  ReduceL2: along((input, y) => input.builder.apply("Div", [inputOf(input, 0), y])),
  ReduceSumSquare: along((input) => {
    const x = inputOf(input, 0);
    return input.builder.apply("Mul", [x, input.builder.scalarLike(x, 2)]);
  }),
  ReduceLogSum: along((input, y) => {
    const { builder } = input;
    return builder.apply("Expand", [
      builder.apply("Exp", [builder.apply("Neg", [y])]),
      builder.integers(requireStatic(inputOf(input, 0).shape, "The gradient of a reduction")),
    ]);
  }),
  ReduceLogSumExp: along((input, y) =>
    input.builder.apply("Exp", [input.builder.apply("Sub", [inputOf(input, 0), y])]),
  ),
};
