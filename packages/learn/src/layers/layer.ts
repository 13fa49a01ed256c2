import type { z } from "zod";
import type { Constraint } from "../constraints/index.ts";
import type { Initializer } from "../initializers/index.ts";
import type { GraphBuilder } from "../onnx/builder.ts";
import type { Value } from "../onnx/graph.ts";
import type { Dimension } from "../onnx/tensor.ts";
import type { Regularizer } from "../regularizers/index.ts";
import { LearnError } from "../errors.ts";

/** Shape of one sample, without the batch, channels last. */
export type SampleShape = readonly number[];

/** A weight of a layer in its public Keras layout. */
export interface WeightSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly initializer: Initializer;
  /** False for statistics that are measured instead of learnt, and for weights of a frozen layer. */
  readonly trainable: boolean;
  /** Joins the loss; set from the layer's `…Regularizer` arguments. */
  readonly regularizer?: Regularizer;
  /** Held after each update; set from the layer's `…Constraint` arguments. */
  readonly constraint?: Constraint;
}

/**
 * How a weight lies inside the engine: its public values are read as `unfolded`, transposed by `order`, and given to
 * the graph as `shape`.
 */
export interface WeightStorage {
  readonly unfolded: readonly number[];
  readonly order: readonly number[];
  readonly shape: readonly number[];
}

/**
 * A layer's result inside the graph. `plain` is the public layout with the batch in front; `channels-first` is an
 * image as the engine wants it; `flattened` is an image flattened while its channels still stood first.
 */
export interface LayerValue {
  readonly value: Value;
  readonly shape: SampleShape;
  readonly layout: "plain" | "channels-first" | "flattened";
  /** Of a flattened value: the image's public shape [height, width, channels]. */
  readonly image?: SampleShape;
  /** Which steps of a sequence count, as bool [batch, steps]; all of them where it is left out. */
  readonly mask?: Value;
  /** What a layer gives beside its result, such as the last states of a recurrent one. */
  readonly further?: readonly LayerValue[];
}

/** What a layer may ask for while it writes its part of the graph. */
export interface EmitContext {
  readonly builder: GraphBuilder;
  readonly training: boolean;
  /** Whether the result will be differentiated; always so in training. */
  readonly differentiable: boolean;
  /** Whether the layer is frozen (`trainable: false`): statistics are then used as they are, even in training. */
  readonly frozen: boolean;
  readonly batch: Dimension;
  /** The layer's weight of that name as a value of the graph. */
  weight(name: string, storage?: WeightStorage): Value;
  /** A dropout mask of the given shape, drawn anew at each step: 0, or 1/(1−rate). */
  mask(shape: readonly Dimension[], rate: number): Value;
  /** Standard normal noise of the given shape, drawn anew at each step. */
  noise(shape: readonly Dimension[]): Value;
  /** Replaces a weight that is not learnt by a new value after the step. */
  update(name: string, value: Value): void;
  /** A weight that is not learnt, with the updates that an earlier use of a shared layer made in this step. */
  updated(name: string): Value;
}

/** Where a layer stands, for its messages. */
export interface LayerPlace {
  readonly layer: string;
  readonly name: string;
}

/** A kind of layer, its arguments already validated. */
export interface LayerKind {
  readonly layer: string;
  readonly arguments: z.ZodType;
  outputShape(args: unknown, inputs: readonly SampleShape[], place: LayerPlace): SampleShape;
  /** Shapes of what the layer gives beside its result. */
  furtherShapes(args: unknown, inputs: readonly SampleShape[]): readonly SampleShape[];
  weights(args: unknown, inputs: readonly SampleShape[]): readonly WeightSpec[];
  emit(args: unknown, inputs: readonly LayerValue[], context: EmitContext): LayerValue;
}

/** A kind of layer with typed arguments. */
export interface LayerDefinition<Arguments> {
  readonly layer: string;
  readonly arguments: z.ZodType<Arguments>;
  /** Whether the result has the mask of the first input; without it the mask ends here. */
  readonly passesMask?: boolean;
  outputShape(args: Arguments, inputs: readonly SampleShape[], place: LayerPlace): SampleShape;
  furtherShapes?(args: Arguments, inputs: readonly SampleShape[]): readonly SampleShape[];
  weights?(args: Arguments, inputs: readonly SampleShape[]): readonly WeightSpec[];
  emit(args: Arguments, inputs: readonly LayerValue[], context: EmitContext): LayerValue;
}

/** Makes a kind of layer; its functions only ever see arguments that its own schema let through. */
export const defineLayer = <Arguments>(definition: LayerDefinition<Arguments>): LayerKind => ({
  layer: definition.layer,
  arguments: definition.arguments,
  outputShape: (args, inputs, place) => definition.outputShape(args as Arguments, inputs, place),
  furtherShapes: (args, inputs) => definition.furtherShapes?.(args as Arguments, inputs) ?? [],
  weights: (args, inputs) => definition.weights?.(args as Arguments, inputs) ?? [],
  emit: (args, inputs, context) => {
    const { mask, ...result } = definition.emit(args as Arguments, inputs, context);
    const passed = definition.passesMask === true ? inputs[0]?.mask : mask;
    return passed === undefined ? result : { ...result, mask: passed };
  },
});

/** The single input of a layer that takes one. */
export const only = <Item>(inputs: readonly Item[], place?: LayerPlace): Item => {
  const [input] = inputs;
  if (input === undefined || inputs.length !== 1) {
    const who = place === undefined ? "The layer" : `${place.layer} "${place.name}"`;
    throw new LearnError("layer-invalid", `${who} takes exactly one input, but ${inputs.length} came.`);
  }
  return input;
};

const spatialNames: Readonly<Record<number, string>> = {
  1: "a sequence [steps, channels]",
  2: "an image [height, width, channels]",
  3: "a volume [depth, height, width, channels]",
};

/** The single input shape of a layer over `rank` spatial axes: [...spatial, channels]. */
export const spatialShape = (inputs: readonly SampleShape[], rank: number, place: LayerPlace): SampleShape => {
  const shape = only(inputs, place);
  if (shape.length === rank + 1) return shape;
  throw new LearnError(
    "shape-mismatch",
    `${place.layer} "${place.name}" expects ${spatialNames[rank] ?? `${rank} spatial axes and channels`}, but its input has shape [${shape.join(", ")}]. Put a Reshape in front of it, or give the input its channels.`,
  );
};

/** Turns an axis that counts the batch as 0, or from the end, into one of a sample. */
export const sampleAxis = (axis: number, shape: SampleShape, place: LayerPlace): number => {
  const along = axis < 0 ? axis + shape.length : axis - 1;
  if (axis !== 0 && along >= 0 && along < shape.length) return along;
  throw new LearnError(
    "layer-invalid",
    `${place.layer} "${place.name}" has axis ${axis}, which is not an axis of [${shape.join(", ")}]; 1 is the first after the batch.`,
  );
};
