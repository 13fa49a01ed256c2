import type { GraphBuilder } from "../../onnx/builder.ts";
import type { Value } from "../../onnx/graph.ts";
import { elementCount } from "../../onnx/tensor.ts";
import type { Windows } from "../../onnx/windows.ts";
import { imageOf } from "./image.ts";

/** What a convolution's kernel is differentiated from. */
export interface KernelParts {
  /** The input [batch, channels, …spatial]. */
  readonly image: Value;
  /** The output's gradient [batch, outputs, …spatial]. */
  readonly upstream: Value;
  readonly windows: Windows;
  readonly group: number;
  /** Shape of the kernel [outputs, channels / group, …window]. */
  readonly kernel: readonly number[];
}

const reshape = (builder: GraphBuilder, value: Value, shape: readonly number[]): Value =>
  builder.apply("Reshape", [value, builder.integers(shape)]);

const transpose = (builder: GraphBuilder, value: Value, perm: readonly number[]): Value =>
  builder.apply("Transpose", [value], { attributes: { perm } });

/**
 * As a convolution: the transposed input is the image, the transposed output gradient the kernel, stride and dilation
 * change places.
 */
const byConvolution = (builder: GraphBuilder, parts: KernelParts): Value => {
  const { windows, group } = parts;
  const [outputs = 1, perGroup = 1, ...kernel] = parts.kernel;
  const axes = kernel.map((_, axis) => axis);
  const { batch, spatial } = imageOf(parts.image);
  const grouped = reshape(builder, parts.image, [batch, group, perGroup, ...spatial]);
  const moved = transpose(builder, grouped, [2, 1, 0, ...axes.map((axis) => axis + 3)]);
  const x = reshape(builder, moved, [perGroup, group * batch, ...spatial]);
  const dy = transpose(builder, parts.upstream, [1, 0, ...axes.map((axis) => axis + 2)]);
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

/** Every place inside a window, the last axis running fastest. */
const placesIn = (window: readonly number[]): readonly (readonly number[])[] =>
  window.reduce<readonly (readonly number[])[]>(
    (places, length) => places.flatMap((place) => Array.from({ length }, (_, at) => [...place, at])),
    [[]],
  );

const padded = (builder: GraphBuilder, image: Value, { before, after }: Windows): Value => {
  if ([...before, ...after].every((amount) => amount === 0)) return image;
  return builder.apply("Pad", [
    image,
    builder.integers([0, 0, ...before, 0, 0, ...after]),
    builder.scalarLike(image, 0),
  ]);
};

/** The part of a padded image that one place of the window moves over: [batch, channels, …output]. */
const movedOver = (
  builder: GraphBuilder,
  { image, windows }: { readonly image: Value; readonly windows: Windows },
  place: readonly number[],
): Value => {
  const starts = place.map((at, axis) => at * (windows.dilations[axis] ?? 1));
  const ends = starts.map((start, axis) => {
    return start + ((windows.output[axis] ?? 1) - 1) * (windows.strides[axis] ?? 1) + 1;
  });
  const whole = starts.every((start, axis) => start === 0 && ends[axis] === image.shape[axis + 2]);
  if (whole && windows.strides.every((stride) => stride === 1)) return image;
  const axes = builder.integers(place.map((_, axis) => axis + 2));
  return builder.apply("Slice", [
    image,
    builder.integers(starts),
    builder.integers(ends),
    axes,
    builder.integers(windows.strides),
  ]);
};

/** Sum over the batch of dy · xᵀ: [batch, outputs, places] and [batch, rows, places] give [outputs, rows]. */
const product = (builder: GraphBuilder, dy: Value, x: Value): Value => {
  const perSample = builder.apply("MatMul", [dy, transpose(builder, x, [0, 2, 1])]);
  return builder.apply("ReduceSum", [perSample, builder.integers([0])], { attributes: { keepdims: 0 } });
};

/**
 * As matrix products, one for each place in the window. Few channels would make them too narrow: then the parts of the
 * image that all places move over are put together first, for one product.
 */
const byProducts = (builder: GraphBuilder, parts: KernelParts): Value => {
  const { windows } = parts;
  const [outputs = 1, channels = 1, ...kernel] = parts.kernel;
  const { batch } = imageOf(parts.image);
  const positions = elementCount(windows.output);
  const dy = reshape(builder, parts.upstream, [batch, outputs, positions]);
  const image = padded(builder, parts.image, windows);
  const moved = placesIn(kernel).map((place) => movedOver(builder, { image, windows }, place));
  const asColumns = (value: Value): Value => reshape(builder, value, [batch, -1, positions]);
  if (channels <= fewChannels) {
    const all = product(builder, dy, asColumns(builder.apply("Concat", moved, { attributes: { axis: 1 } })));
    const sorted = transpose(builder, reshape(builder, all, [outputs, moved.length, channels]), [0, 2, 1]);
    return reshape(builder, sorted, parts.kernel);
  }
  const each = moved.map((value) => reshape(builder, product(builder, dy, asColumns(value)), [outputs, channels, 1]));
  const [only] = each;
  const all =
    only !== undefined && each.length === 1 ? only : builder.apply("Concat", each, { attributes: { axis: 2 } });
  return reshape(builder, all, parts.kernel);
};

/** Channels up to which products with one place of the window are slower than putting all places together. */
const fewChannels = 8;
/** Places in a window up to which products are faster than a convolution with a kernel as large as the image. */
const mostPlaces = 27;

/** Gradient of a convolution's kernel [outputs, channels / group, …window], by the form that was measured to be faster. */
export const kernelGradient = (builder: GraphBuilder, parts: KernelParts): Value => {
  const places = elementCount(parts.kernel.slice(2));
  return parts.group === 1 && places <= mostPlaces ? byProducts(builder, parts) : byConvolution(builder, parts);
};
