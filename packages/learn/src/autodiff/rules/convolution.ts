import { LearnError } from "../../errors.ts";
import { integerAttribute } from "../../onnx/attributes.ts";
import type { GraphBuilder } from "../../onnx/builder.ts";
import type { Value } from "../../onnx/graph.ts";
import { requireStatic } from "../../onnx/shape.ts";
import { resolveWindows } from "../../onnx/windows.ts";
import { firstOf, type GradientRule, inputOf } from "../rule.ts";
import { imageOf, remainders } from "./image.ts";
import { kernelGradient } from "./kernel-gradient.ts";

const biasGradient = (builder: GraphBuilder, dy: Value): Value => {
  const reduced = dy.shape.flatMap((_, axis) => (axis === 1 ? [] : [axis]));
  return builder.apply("ReduceSum", [dy, builder.integers(reduced)], { attributes: { keepdims: 0 } });
};

const conv: GradientRule = (input) => {
  const { builder, node, wanted } = input;
  const x = inputOf(input, 0);
  const image = imageOf(x);
  const kernel = requireStatic(inputOf(input, 1).shape, "A convolution's kernel");
  const windows = resolveWindows({ kernel: kernel.slice(2), spatial: image.spatial, attributes: node.attributes });
  const { dy } = firstOf(input);
  const group = integerAttribute(node.attributes, "group", 1);
  const attributes = {
    group,
    strides: windows.strides,
    dilations: windows.dilations,
    pads: [...windows.before, ...windows.after],
    output_padding: remainders(image, windows),
  };
  return [
    wanted[0] ? builder.apply("ConvTranspose", [dy, inputOf(input, 1)], { attributes }) : undefined,
    wanted[1] ? kernelGradient(builder, { image: x, upstream: dy, windows, group, kernel }) : undefined,
    wanted[2] ? biasGradient(builder, dy) : undefined,
  ];
};

/** A transposed convolution is a convolution's gradient, so that its own gradients are that convolution and its kernel's. */
const convTranspose: GradientRule = (input) => {
  const { builder, node, wanted } = input;
  const { dy } = firstOf(input);
  const [x, w] = [inputOf(input, 0), inputOf(input, 1)];
  const kernel = requireStatic(w.shape, "A convolution's kernel");
  const group = integerAttribute(node.attributes, "group", 1);
  const { output_padding: _padding, output_shape: _shape, auto_pad: automatic, ...moves } = node.attributes;
  if (automatic !== undefined && automatic !== "NOTSET" && automatic !== "VALID") {
    throw new LearnError(
      "operator-without-gradient",
      `The node "${node.name}" (ConvTranspose) pads automatically, which has no gradient rule. Export it with explicit padding.`,
    );
  }
  const windows = resolveWindows({ kernel: kernel.slice(2), spatial: imageOf(dy).spatial, attributes: moves });
  return [
    wanted[0] ? builder.apply("Conv", [dy, w], { attributes: { ...moves, group } }) : undefined,
    wanted[1] ? kernelGradient(builder, { image: dy, upstream: x, windows, group, kernel }) : undefined,
    wanted[2] ? biasGradient(builder, dy) : undefined,
  ];
};

/** Gradients of convolutions over [batch, channels, …spatial]. */
export const convolutionRules: Readonly<Record<string, GradientRule>> = { Conv: conv, ConvTranspose: convTranspose };
