import { integersAttribute, integerAttribute, textAttribute } from "./attributes.ts";
import type { Attributes } from "./graph.ts";

/** How a kernel moves over the spatial axes of a tensor [batch, channels, …spatial]. */
export interface Windows {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Elements added before each axis. */
  readonly before: readonly number[];
  /** Elements added after each axis. */
  readonly after: readonly number[];
  readonly output: readonly number[];
}

interface WindowInput {
  readonly kernel: readonly number[];
  readonly spatial: readonly number[];
  readonly attributes: Attributes;
}

const samePadding = (total: number, lower: boolean): [number, number] => {
  const small = Math.floor(total / 2);
  return lower ? [total - small, small] : [small, total - small];
};

/** Resolves padding and output lengths of a convolution or pooling, by ONNX's definitions. */
export const resolveWindows = ({ kernel, spatial, attributes }: WindowInput): Windows => {
  const rank = spatial.length;
  const ones = Array.from({ length: rank }, () => 1);
  const strides = integersAttribute(attributes, "strides") ?? ones;
  const dilations = integersAttribute(attributes, "dilations") ?? ones;
  const pads = integersAttribute(attributes, "pads") ?? Array.from({ length: 2 * rank }, () => 0);
  const mode = textAttribute(attributes, "auto_pad", "NOTSET");
  const up = integerAttribute(attributes, "ceil_mode", 0) === 1;
  const before: number[] = [];
  const after: number[] = [];
  const output: number[] = [];
  for (let axis = 0; axis < rank; axis++) {
    const length = spatial[axis] as number;
    const stride = strides[axis] as number;
    const extent = ((kernel[axis] as number) - 1) * (dilations[axis] as number) + 1;
    let padding: [number, number] = [pads[axis] as number, pads[axis + rank] as number];
    if (mode === "SAME_UPPER" || mode === "SAME_LOWER") {
      const total = Math.max((Math.ceil(length / stride) - 1) * stride + extent - length, 0);
      padding = samePadding(total, mode === "SAME_LOWER");
    }
    if (mode === "VALID") padding = [0, 0];
    const steps = (length + padding[0] + padding[1] - extent) / stride;
    before.push(padding[0]);
    after.push(padding[1]);
    output.push((up ? Math.ceil(steps) : Math.floor(steps)) + 1);
  }
  return { kernel, strides, dilations, before, after, output };
};
