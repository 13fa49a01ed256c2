import { LearnError } from "../errors.ts";
import type { Attributes, Value } from "../onnx/graph.ts";
import { resolveWindows } from "../onnx/windows.ts";
import type { Windows } from "../onnx/windows.ts";
import { activate } from "./activation-layers.ts";
import type { Activation } from "./activation-config.ts";
import { lengthsOf } from "./arguments.ts";
import type { Lengths, Padding } from "./arguments.ts";
import type { EmitContext, LayerPlace, LayerValue, WeightStorage } from "./layer.ts";

/** Number of spatial axes: 1 for sequences, 2 for images, 3 for volumes. */
export type Rank = 1 | 2 | 3;

/** The ranks that layers exist for. */
export const ranks: readonly Rank[] = [1, 2, 3];

interface WindowArguments {
  readonly rank: Rank;
  readonly kernel: Lengths;
  readonly strides: Lengths;
  readonly dilations?: Lengths;
  readonly padding: Padding | "causal";
}

/**
 * Resolves a window's movement over a sample [...spatial, channels]. `same` pads as Keras does, the odd element last;
 * `causal` pads in front only, so that no step sees a later one.
 */
export const sampleWindows = (args: WindowArguments, sample: readonly number[], place?: LayerPlace): Windows => {
  const { rank, padding } = args;
  const kernel = lengthsOf(args.kernel, rank);
  const dilations = lengthsOf(args.dilations ?? 1, rank);
  const spatial = sample.slice(0, rank);
  const before = kernel.map((length, axis) => (length - 1) * (dilations[axis] ?? 1));
  const windows = resolveWindows({
    kernel,
    spatial,
    attributes: {
      strides: lengthsOf(args.strides, rank),
      dilations,
      ...(padding === "causal"
        ? { pads: [...before, ...before.map(() => 0)] }
        : { auto_pad: padding === "same" ? "SAME_UPPER" : "VALID" }),
    },
  });
  if (windows.output.every((length) => length >= 1)) return windows;
  throw new LearnError(
    "shape-mismatch",
    `${place?.layer ?? "The layer"} "${place?.name ?? ""}" has a window of ${kernel.join(" × ")}, which does not fit into its input of ${spatial.join(" × ")}. Use a smaller window, padding "same", or fewer poolings in front.`,
  );
};

/** How windows move, as attributes of a node. */
export const windowAttributes = (windows: Windows): Attributes => ({
  kernel_shape: windows.kernel,
  strides: windows.strides,
  dilations: windows.dilations,
  pads: [...windows.before, ...windows.after],
});

/** Keras keeps kernels as [...window, a, b], the engine takes [b, a, ...window]. */
export const kernelStorage = (shape: readonly number[]): WeightStorage => {
  const rank = shape.length - 2;
  const order = [rank + 1, rank, ...shape.slice(0, rank).map((_, axis) => axis)];
  return { unfolded: shape, order, shape: order.map((axis) => shape[axis] ?? 1) };
};

/** A convolution's result with its activation. */
export const activatedImage = (
  context: EmitContext,
  value: Value,
  options: { readonly shape: readonly number[]; readonly activation: Activation },
): LayerValue =>
  activate(context.builder, { value, shape: options.shape, layout: "channels-first" }, options.activation);
