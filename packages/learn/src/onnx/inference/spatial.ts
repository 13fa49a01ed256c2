import { integerAttribute, integersAttribute } from "../attributes.ts";
import { requireStatic } from "../shape.ts";
import { formatShape } from "../tensor.ts";
import type { TensorType } from "../tensor.ts";
import { resolveWindows } from "../windows.ts";
import { constantAt, inputAt } from "./rule.ts";
import type { InferenceInput, InferenceRule } from "./rule.ts";
import { LearnError } from "../../errors.ts";

const checkPositive = (node: InferenceInput, output: readonly number[]): readonly number[] => {
  if (output.every((length) => length > 0)) return output;
  const { shape } = inputAt(node, 0);
  throw new LearnError(
    "shape-mismatch",
    `The kernel of ${node.operator} is larger than its input ${formatShape(shape)}.`,
  );
};

const convolution: InferenceRule = (node) => {
  const [x, w] = [inputAt(node, 0), inputAt(node, 1)];
  const weight = requireStatic(w.shape, "A convolution's kernel");
  const group = integerAttribute(node.attributes, "group", 1);
  const channels = x.shape[1];
  if (typeof channels === "number" && channels !== (weight[1] as number) * group) {
    throw new LearnError(
      "shape-mismatch",
      `Conv with ${group} group(s) takes ${(weight[1] as number) * group} channels, but its input is ${formatShape(x.shape)}.`,
    );
  }
  const spatial = requireStatic(x.shape.slice(2), "A convolution's image");
  const { output } = resolveWindows({ kernel: weight.slice(2), spatial, attributes: node.attributes });
  return [{ dtype: x.dtype, shape: [x.shape[0] ?? 1, weight[0] as number, ...checkPositive(node, output)] }];
};

const transposedConvolution: InferenceRule = (node) => {
  const [x, w] = [inputAt(node, 0), inputAt(node, 1)];
  const weight = requireStatic(w.shape, "A transposed convolution's kernel");
  const kernel = weight.slice(2);
  const ones = kernel.map(() => 1);
  const spatial = requireStatic(x.shape.slice(2), "A transposed convolution's image");
  const { attributes } = node;
  const [strides, dilations] = [
    integersAttribute(attributes, "strides") ?? ones,
    integersAttribute(attributes, "dilations") ?? ones,
  ];
  const pads = integersAttribute(attributes, "pads") ?? [...ones, ...ones].map(() => 0);
  const extra = integersAttribute(attributes, "output_padding") ?? ones.map(() => 0);
  const output = spatial.map((length, axis) => {
    const extent = ((kernel[axis] as number) - 1) * (dilations[axis] as number) + 1;
    const padding = (pads[axis] as number) + (pads[axis + kernel.length] as number);
    return (length - 1) * (strides[axis] as number) + (extra[axis] as number) + extent - padding;
  });
  const channels = (weight[1] as number) * integerAttribute(attributes, "group", 1);
  return [{ dtype: x.dtype, shape: [x.shape[0] ?? 1, channels, ...output] }];
};

const pooling: InferenceRule = (node) => {
  const x = inputAt(node, 0);
  const kernel = integersAttribute(node.attributes, "kernel_shape") ?? [];
  const spatial = requireStatic(x.shape.slice(2), "A pooling's image");
  const { output } = resolveWindows({ kernel, spatial, attributes: node.attributes });
  const shape = [...x.shape.slice(0, 2), ...checkPositive(node, output)];
  const types: TensorType[] = [
    { dtype: x.dtype, shape },
    { dtype: "int64", shape },
  ];
  return types.slice(0, node.outputCount);
};

const globalPooling: InferenceRule = (node) => {
  const x = inputAt(node, 0);
  return [{ dtype: x.dtype, shape: x.shape.map((length, axis) => (axis < 2 ? length : 1)) }];
};

const maxUnpooling: InferenceRule = (node) => [{ dtype: inputAt(node, 0).dtype, shape: constantAt(node, 2) ?? [] }];

/** Operators over images [batch, channels, height, width] and their like in other ranks. */
export const spatialInference: Readonly<Record<string, InferenceRule>> = {
  Conv: convolution,
  ConvTranspose: transposedConvolution,
  MaxPool: pooling,
  MaxUnpool: maxUnpooling,
  AveragePool: pooling,
  GlobalAveragePool: globalPooling,
  GlobalMaxPool: globalPooling,
};
