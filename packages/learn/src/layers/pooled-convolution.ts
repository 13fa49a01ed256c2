import { integerAttribute, integersAttribute } from "../onnx/attributes.ts";
import type { GraphBuilder } from "../onnx/builder.ts";
import type { Attributes, Node, Value } from "../onnx/graph.ts";
import { isStatic, type Tensor } from "../onnx/tensor.ts";
import { resolveWindows } from "../onnx/windows.ts";

/** Values of a patch up to which this form was measured to be the faster one; wider inputs cost too many products with zero. */
const widestPatch = 64;

/** What is needed to write the maximum of a convolution over windows that touch but do not overlap. */
interface PooledConvolution {
  readonly x: Value;
  readonly kernel: Value;
  readonly bias: Value | undefined;
  readonly channels: number;
  /** Kernel, its strides, and the pooling's window: [height, width] each. */
  readonly size: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly pool: readonly [number, number];
  readonly pads: readonly number[];
}

type Pair = readonly [number, number];

const pairOf = (numbers: readonly number[] | undefined): Pair | undefined => {
  const [first, second, ...rest] = numbers ?? [];
  return first === undefined || second === undefined || rest.length > 0 ? undefined : [first, second];
};

/** Height and width of a pooling window that moves by its own size over an image without padding. */
const poolOf = (pooling: Attributes): Pair | undefined => {
  const pool = pairOf(integersAttribute(pooling, "kernel_shape"));
  const strides = integersAttribute(pooling, "strides") ?? [1, 1];
  const pads = integersAttribute(pooling, "pads") ?? [];
  const touching = pool !== undefined && strides.every((stride, axis) => stride === pool[axis]);
  return touching && pads.every((pad) => pad === 0) && integerAttribute(pooling, "ceil_mode", 0) === 0
    ? pool
    : undefined;
};

/** Reads a two-dimensional convolution without groups and dilations. */
const convolutionOf = (builder: GraphBuilder, node: Node): Omit<PooledConvolution, "pool"> | undefined => {
  const [x, kernel, bias] = node.inputs.map((name) => builder.value(name));
  if (x === undefined || kernel === undefined || !isStatic(x.shape) || !isStatic(kernel.shape)) return undefined;
  const [, channels = 1, ...spatial] = x.shape;
  const windows = resolveWindows({ kernel: kernel.shape.slice(2), spatial, attributes: node.attributes });
  const [size, strides] = [pairOf(windows.kernel), pairOf(windows.strides)];
  if (size === undefined || strides === undefined) return undefined;
  if (integerAttribute(node.attributes, "group", 1) !== 1 || windows.dilations.some((step) => step !== 1)) {
    return undefined;
  }
  return { x, kernel, bias, channels, size, strides, pads: [...windows.before, ...windows.after] };
};

/** Reads a convolution and the pooling behind it; undefined when they are not of the kind that is written differently. */
const recognise = (builder: GraphBuilder, convolved: Value, pooling: Attributes): PooledConvolution | undefined => {
  const node = builder.producer(convolved.name);
  const pool = poolOf(pooling);
  const convolution = node?.operator === "Conv" ? convolutionOf(builder, node) : undefined;
  return pool === undefined || convolution === undefined ? undefined : { ...convolution, pool };
};

/** Length of the patch under one pooling window along an axis. */
const extentOf = ({ pool, strides, size }: PooledConvolution, axis: 0 | 1): number =>
  (pool[axis] - 1) * strides[axis] + size[axis];

/** One-hot rows: a matrix [rows, columns] with a one in each row at `place(row)`. */
const selection = (rows: number, columns: number, place: (row: number) => number): Tensor => {
  const values = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) values[row * columns + place(row)] = 1;
  return { dtype: "float32", shape: [rows, columns], values };
};

/** Places each value of a kernel inside the patch, for the convolution at one place of the pooling window. */
const placement = (form: PooledConvolution, offset: Pair): Tensor => {
  const { channels, size, strides } = form;
  const [height, width] = [extentOf(form, 0), extentOf(form, 1)];
  const perChannel = size[0] * size[1];
  return selection(channels * perChannel, channels * height * width, (at) => {
    const inside = at % perChannel;
    const row = Math.floor(inside / size[1]) + offset[0] * strides[0];
    const column = (inside % size[1]) + offset[1] * strides[1];
    return (Math.floor(at / perChannel) * height + row) * width + column;
  });
};

/** The patch under each pooling window, as columns: [batch, patch, windows]. */
const patchesOf = (builder: GraphBuilder, form: PooledConvolution): { patches: Value; output: readonly number[] } => {
  const kernel = [extentOf(form, 0), extentOf(form, 1)] as const;
  const length = form.channels * kernel[0] * kernel[1];
  const identity = selection(length, length, (row) => row);
  const columns = builder.constant({ ...identity, shape: [length, form.channels, ...kernel] });
  const attributes = {
    kernel_shape: kernel,
    strides: form.strides.map((stride, axis) => stride * (form.pool[axis] ?? 1)),
    pads: form.pads,
  };
  const image = builder.apply("Conv", [form.x, columns], { attributes });
  const [batch = 1, , ...output] = image.shape.map(Number);
  return { patches: builder.apply("Reshape", [image, builder.integers([batch, length, -1])]), output };
};

/** The largest of several values, the earlier one first in each comparison: a tie's gradient goes to the first. */
const largest = (builder: GraphBuilder, values: readonly Value[]): Value => {
  const [first, second] = values;
  if (first !== undefined && second === undefined) return first;
  const middle = Math.ceil(values.length / 2);
  return builder.apply("Max", [largest(builder, values.slice(0, middle)), largest(builder, values.slice(middle))]);
};

/**
 * Writes max pooling behind a convolution of few input channels as the maximum of several convolutions, one for each
 * place inside the pooling window, all of them products with the same patches. Values are those of Conv and MaxPool.
 * Its gradient needs neither the places of the maxima nor the image before pooling, which is what takes the time there.
 * @returns undefined where Conv and MaxPool are better left as they are.
 */
export const emitPooledConvolution = (
  builder: GraphBuilder,
  convolved: Value,
  pooling: Attributes,
): Value | undefined => {
  const form = recognise(builder, convolved, pooling);
  if (form === undefined || form.channels * extentOf(form, 0) * extentOf(form, 1) > widestPatch) return undefined;
  const { patches, output } = patchesOf(builder, form);
  const filters = Number(form.kernel.shape[0]);
  const kernel = builder.apply("Reshape", [form.kernel, builder.integers([filters, -1])]);
  const places = Array.from({ length: form.pool[0] * form.pool[1] }, (_, place): Pair => {
    return [Math.floor(place / form.pool[1]), place % form.pool[1]];
  });
  const candidates = places.map((offset) => {
    const spread = builder.apply("MatMul", [kernel, builder.constant(placement(form, offset))]);
    return builder.apply("MatMul", [spread, patches]);
  });
  const maximum = largest(builder, candidates);
  const shifted =
    form.bias === undefined
      ? maximum
      : builder.apply("Add", [maximum, builder.apply("Reshape", [form.bias, builder.integers([filters, 1])])]);
  return builder.apply("Reshape", [shifted, builder.integers([Number(patches.shape[0]), filters, ...output])]);
};
