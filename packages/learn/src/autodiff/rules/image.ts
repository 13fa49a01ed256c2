import type { Value } from "../../onnx/graph.ts";
import { requireStatic } from "../../onnx/shape.ts";
import type { Windows } from "../../onnx/windows.ts";

/** Lengths of a value [batch, channels, …spatial]. */
export interface Image {
  readonly batch: number;
  readonly channels: number;
  readonly spatial: readonly number[];
}

/** Reads the lengths of a value, which must be known. */
export const imageOf = (value: Value): Image => {
  const [batch = 1, channels = 1, ...spatial] = requireStatic(value.shape, "The gradient of a convolution or pooling");
  return { batch, channels, spatial };
};

/** Rows or columns at the end that no window reached; their gradient is zero. */
export const remainders = (image: Image, windows: Windows): number[] =>
  image.spatial.map((length, axis) => {
    const extent = ((windows.kernel[axis] ?? 1) - 1) * (windows.dilations[axis] ?? 1) + 1;
    const reached = ((windows.output[axis] ?? 1) - 1) * (windows.strides[axis] ?? 1) + extent;
    return length + (windows.before[axis] ?? 0) + (windows.after[axis] ?? 0) - reached;
  });
