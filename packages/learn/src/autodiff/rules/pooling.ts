import { integerAttribute, integersAttribute } from "../../onnx/attributes.ts";
import type { GraphBuilder } from "../../onnx/builder.ts";
import type { Value } from "../../onnx/graph.ts";
import { requireStatic } from "../../onnx/shape.ts";
import { elementCount, tensor } from "../../onnx/tensor.ts";
import { resolveWindows, type Windows } from "../../onnx/windows.ts";
import { firstOf, type GradientInput, type GradientRule, inputOf } from "../rule.ts";
import { type Image, imageOf, remainders } from "./image.ts";

const reshape = (builder: GraphBuilder, value: Value, shape: readonly number[]): Value =>
  builder.apply("Reshape", [value, builder.integers(shape)]);

const poolingWindows = (input: GradientInput, image: Image): Windows =>
  resolveWindows({
    kernel: integersAttribute(input.node.attributes, "kernel_shape") ?? [],
    spatial: image.spatial,
    attributes: input.node.attributes,
  });

/** The gradient of each window goes to its first maximum, whose place in the flat input is MaxPool's second output. */
const maxPool: GradientRule = (input) => {
  const { builder, node } = input;
  const { dy } = firstOf(input);
  const x = inputOf(input, 0);
  const shape = requireStatic(x.shape, "The gradient of MaxPool");
  const indices =
    input.outputs[1] ?? builder.applyMany("MaxPool", [x], { attributes: node.attributes, outputCount: 2 })[1];
  if (indices === undefined) throw new RangeError("MaxPool gave no indices.");
  const windows = poolingWindows(input, imageOf(x));
  // ONNX Runtime has MaxUnpool for single precision only, and only where no window reaches over the end.
  const apart = windows.strides.every((stride, axis) => stride >= (windows.kernel[axis] ?? 1));
  const within = remainders(imageOf(x), {
    ...windows,
    after: windows.after.map(() => 0),
    before: windows.before.map(() => 0),
  });
  if (apart && within.every((rest) => rest >= 0) && dy.dtype === "float32") {
    // Windows that do not overlap give each element at most one gradient, so that nothing needs to be added up.
    const attributes = { kernel_shape: windows.kernel, strides: windows.strides };
    return [builder.apply("MaxUnpool", [dy, indices, builder.integers(shape)], { attributes })];
  }
  const zeros = builder.apply("Expand", [builder.scalarLike(x, 0), builder.integers([elementCount(shape)])]);
  const flat = (value: Value): Value => reshape(builder, value, [-1]);
  const scattered = builder.apply("ScatterElements", [zeros, flat(indices), flat(dy)], {
    attributes: { axis: 0, reduction: "add" },
  });
  return [reshape(builder, scattered, shape)];
};

/** Number of input elements under each window of an average pooling. */
const countsOf = (image: Image, windows: Windows, includePadding: boolean): Float32Array => {
  const inside = (axis: number, at: number): number => {
    const start = at * (windows.strides[axis] ?? 1) - (windows.before[axis] ?? 0);
    const kernel = windows.kernel[axis] ?? 1;
    if (includePadding) return kernel;
    return Math.min(start + kernel, image.spatial[axis] ?? 1) - Math.max(start, 0);
  };
  let counts = [1];
  for (const [axis, length] of windows.output.entries()) {
    const along = Array.from({ length }, (_, at) => inside(axis, at));
    counts = counts.flatMap((count) => along.map((one) => count * one));
  }
  return Float32Array.from(counts);
};

const averagePool: GradientRule = (input) => {
  const { builder, node } = input;
  const { dy } = firstOf(input);
  const image = imageOf(inputOf(input, 0));
  const windows = poolingWindows(input, image);
  const includePadding = integerAttribute(node.attributes, "count_include_pad", 0) === 1;
  const counts = tensor("float32", [1, 1, ...windows.output], countsOf(image, windows, includePadding));
  const shares = builder.apply("Div", [dy, builder.cast(builder.constant(counts), dy.dtype)]);
  const ones = builder.apply("Expand", [
    builder.scalarLike(dy, 1),
    builder.integers([image.channels, 1, ...windows.kernel]),
  ]);
  const attributes = {
    group: image.channels,
    strides: windows.strides,
    pads: [...windows.before, ...windows.after],
    output_padding: remainders(image, windows),
  };
  return [builder.apply("ConvTranspose", [shares, ones], { attributes })];
};

const globalAveragePool: GradientRule = (input) => {
  const { builder } = input;
  const x = inputOf(input, 0);
  const shape = requireStatic(x.shape, "The gradient of GlobalAveragePool");
  const share = builder.apply("Mul", [firstOf(input).dy, builder.scalarLike(x, 1 / elementCount(shape.slice(2)))]);
  return [builder.apply("Expand", [share, builder.integers(shape)])];
};

const globalMaxPool: GradientRule = (input) => {
  const { builder } = input;
  const { dy, y } = firstOf(input);
  const x = inputOf(input, 0);
  const axes = builder.integers(x.shape.flatMap((_, axis) => (axis < 2 ? [] : [axis])));
  const won = builder.cast(builder.apply("Equal", [x, y]), dy.dtype);
  const winners = builder.apply("ReduceSum", [won, axes]);
  return [builder.apply("Mul", [won, builder.apply("Div", [dy, winners])])];
};

/** Gradients of poolings over [batch, channels, …spatial]. */
export const poolingRules: Readonly<Record<string, GradientRule>> = {
  MaxPool: maxPool,
  AveragePool: averagePool,
  GlobalAveragePool: globalAveragePool,
  GlobalMaxPool: globalMaxPool,
};
