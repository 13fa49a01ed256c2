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

/** Gradients of sums and means over axes. */
export const reductionRules: Readonly<Record<string, GradientRule>> = {
  ReduceSum: (input) => [spread(input)],
  ReduceMean: mean,
};
