import { integerAttribute, integersAttribute } from "../../onnx/attributes.ts";
import type { GraphBuilder } from "../../onnx/builder.ts";
import type { Value } from "../../onnx/graph.ts";
import { requireStatic } from "../../onnx/shape.ts";
import { elementCount, tensor } from "../../onnx/tensor.ts";
import { resolveWindows, type Windows } from "../../onnx/windows.ts";
import { firstOf, type GradientInput, type GradientRule, inputOf } from "../rule.ts";

interface Image {
  readonly batch: number;
  readonly channels: number;
  readonly spatial: readonly number[];
}

const imageOf = (value: Value): Image => {
  const [batch = 1, channels = 1, ...spatial] = requireStatic(value.shape, "The gradient of a convolution or pooling");
  return { batch, channels, spatial };
};

const reshape = (builder: GraphBuilder, value: Value, shape: readonly number[]): Value =>
  builder.apply("Reshape", [value, builder.integers(shape)]);

const transpose = (builder: GraphBuilder, value: Value, perm: readonly number[]): Value =>
  builder.apply("Transpose", [value], { attributes: { perm } });

/** Rows or columns at the end that no window reached; their gradient is zero. */
const remainders = (image: Image, windows: Windows): number[] =>
  image.spatial.map((length, axis) => {
    const extent = ((windows.kernel[axis] ?? 1) - 1) * (windows.dilations[axis] ?? 1) + 1;
    const reached = ((windows.output[axis] ?? 1) - 1) * (windows.strides[axis] ?? 1) + extent;
    return length + (windows.before[axis] ?? 0) + (windows.after[axis] ?? 0) - reached;
  });

const convolutionInput = (input: GradientInput, image: Image, windows: Windows): Value => {
  const { builder, node } = input;
  const attributes = {
    group: integerAttribute(node.attributes, "group", 1),
    strides: windows.strides,
    dilations: windows.dilations,
    pads: [...windows.before, ...windows.after],
    output_padding: remainders(image, windows),
  };
  return builder.apply("ConvTranspose", [firstOf(input).dy, inputOf(input, 1)], { attributes });
};

/**
 * Gradient of a kernel [out, in/groups, …] as a convolution: the transposed input is the image, the transposed output
 * gradient the kernel, stride and dilation change places.
 */
const convolutionKernel = (input: GradientInput, image: Image, windows: Windows): Value => {
  const { builder, node } = input;
  const group = integerAttribute(node.attributes, "group", 1);
  const [outputs = 1, perGroup = 1, ...kernel] = requireStatic(inputOf(input, 1).shape, "A convolution's kernel");
  const axes = kernel.map((_, axis) => axis);
  const { batch, spatial } = image;
  const grouped = reshape(builder, inputOf(input, 0), [batch, group, perGroup, ...spatial]);
  const moved = transpose(builder, grouped, [2, 1, 0, ...axes.map((axis) => axis + 3)]);
  const x = reshape(builder, moved, [perGroup, group * batch, ...spatial]);
  const dy = transpose(builder, firstOf(input).dy, [1, 0, ...axes.map((axis) => axis + 2)]);
  const attributes = {
    group,
    strides: windows.dilations,
    dilations: windows.strides,
    pads: [...windows.before, ...windows.after],
    kernel_shape: windows.output,
  };
  const wide = builder.apply("Conv", [x, dy], { attributes });
  const fits = wide.shape.slice(2).every((length, axis) => length === kernel[axis]);
  const exact = fits
    ? wide
    : builder.apply("Slice", [
        wide,
        builder.integers(axes.map(() => 0)),
        builder.integers(kernel),
        builder.integers(axes.map((axis) => axis + 2)),
      ]);
  if (perGroup === 1) return reshape(builder, exact, [outputs, 1, ...kernel]);
  return transpose(builder, exact, [1, 0, ...axes.map((axis) => axis + 2)]);
};

const conv: GradientRule = (input) => {
  const { builder, node, wanted } = input;
  const image = imageOf(inputOf(input, 0));
  const kernel = requireStatic(inputOf(input, 1).shape, "A convolution's kernel").slice(2);
  const windows = resolveWindows({ kernel, spatial: image.spatial, attributes: node.attributes });
  const { dy } = firstOf(input);
  const reduced = [0, ...kernel.map((_, axis) => axis + 2)];
  return [
    wanted[0] ? convolutionInput(input, image, windows) : undefined,
    wanted[1] ? convolutionKernel(input, image, windows) : undefined,
    wanted[2] && input.inputs[2]
      ? builder.apply("ReduceSum", [dy, builder.integers(reduced)], { attributes: { keepdims: 0 } })
      : undefined,
  ];
};

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
  const apart = windows.strides.every((stride, axis) => stride >= (windows.kernel[axis] ?? 1));
  // ONNX Runtime has MaxUnpool for single precision only.
  if (apart && dy.dtype === "float32") {
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
  const [rows = 1, columns = 1] = windows.output;
  const counts = new Float32Array(rows * columns);
  const inside = (axis: number, at: number): number => {
    const start = at * (windows.strides[axis] ?? 1) - (windows.before[axis] ?? 0);
    const kernel = windows.kernel[axis] ?? 1;
    if (includePadding) return kernel;
    return Math.min(start + kernel, image.spatial[axis] ?? 1) - Math.max(start, 0);
  };
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++)
      counts[row * columns + column] = inside(0, row) * inside(1, column);
  }
  return counts;
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

/** Gradients of convolutions and poolings over [batch, channels, …spatial]. */
export const spatialRules: Readonly<Record<string, GradientRule>> = {
  Conv: conv,
  MaxPool: maxPool,
  AveragePool: averagePool,
  GlobalAveragePool: globalAveragePool,
};
