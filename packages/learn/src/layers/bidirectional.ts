import { z } from "zod";
import { LearnError } from "../errors.ts";
import type { GraphBuilder } from "../onnx/builder.ts";
import { defineLayer } from "./layer.ts";
import type { LayerKind, LayerPlace, LayerValue, SampleShape } from "./layer.ts";
import type { RecurrentArguments } from "./recurrent/arguments.ts";
import { reversed } from "./recurrent/recurrent-layer.ts";
import { wrappedContext, wrappedSchema, wrappedWeights } from "./wrapped.ts";
import type { FindKind, WrappedLayer } from "./wrapped.ts";

type MergeMode = "concat" | "sum" | "ave" | "mul";

interface Arguments {
  readonly wrapped: WrappedLayer;
  /** The layer that runs from the last step to the first; a copy of the wrapped one when left out. */
  readonly backward?: WrappedLayer | undefined;
  readonly mergeMode: MergeMode;
}

/** Both layers; with all results, steps that the mask leaves out give zeros, as Keras has it. */
const bothOf = ({ wrapped, backward }: Arguments): readonly [WrappedLayer, WrappedLayer] => {
  const forward = wrapped.args as RecurrentArguments;
  const other = (backward?.args as RecurrentArguments | undefined) ?? { ...forward, goBackwards: !forward.goBackwards };
  const zeroOutputForMask = forward.returnSequences;
  return [
    { ...wrapped, args: { ...forward, zeroOutputForMask } },
    { ...(backward ?? wrapped), args: { ...other, zeroOutputForMask } },
  ];
};

const check = ([forward, backward]: readonly [WrappedLayer, WrappedLayer], place: LayerPlace): void => {
  const [one, other] = [forward.args, backward.args] as [RecurrentArguments, RecurrentArguments];
  const alike = one.returnSequences === other.returnSequences && one.returnState === other.returnState;
  if (alike && one.goBackwards !== other.goBackwards) return;
  throw new LearnError(
    "layer-invalid",
    `${place.layer} "${place.name}" needs two layers of opposite goBackwards and equal returnSequences and returnState.`,
  );
};

const merged = (
  builder: GraphBuilder,
  mode: MergeMode,
  [one, other]: readonly [LayerValue, LayerValue],
): LayerValue => {
  const { shape } = one;
  if (mode === "concat") {
    const value = builder.apply("Concat", [one.value, other.value], {
      attributes: { axis: one.value.shape.length - 1 },
    });
    return { value, shape: shape.with(-1, (shape.at(-1) ?? 1) + (other.shape.at(-1) ?? 1)), layout: "plain" };
  }
  const value = builder.apply(mode === "mul" ? "Mul" : "Add", [one.value, other.value]);
  const half = mode === "ave" ? builder.apply("Mul", [value, builder.scalarLike(value, 0.5)]) : value;
  return { value: half, shape, layout: "plain" };
};

const halves = (inputs: readonly SampleShape[]): readonly [readonly SampleShape[], readonly SampleShape[]] => {
  const [sequence = [], ...states] = inputs;
  const half = Math.floor(states.length / 2);
  return [
    [sequence, ...states.slice(0, half)],
    [sequence, ...states.slice(half)],
  ];
};

/**
 * A recurrent layer over a sequence in both directions: weights `forward/…` and `backward/…`.
 * Source: keras/src/layers/rnn/bidirectional.py.
 */
export const bidirectionalLayer = (find: FindKind): LayerKind => {
  const recurrent = wrappedSchema(find, ["SimpleRNN", "LSTM", "GRU"]);
  return defineLayer<Arguments>({
    layer: "Bidirectional",
    arguments: z.strictObject({
      wrapped: recurrent,
      backward: recurrent.optional(),
      mergeMode: z.enum(["concat", "sum", "ave", "mul"]).default("concat"),
    }),
    outputShape: (args, inputs, place) => {
      const layers = bothOf(args);
      check(layers, place);
      const [own, others] = halves(inputs);
      const shape = layers[0].kind.outputShape(layers[0].args, own, place);
      const other = layers[1].kind.outputShape(layers[1].args, others, place);
      if (args.mergeMode === "concat") return shape.with(-1, (shape.at(-1) ?? 1) + (other.at(-1) ?? 1));
      if (shape.join() === other.join()) return shape;
      throw new LearnError(
        "shape-mismatch",
        `${place.layer} "${place.name}" cannot merge results of shapes [${shape.join(", ")}] and [${other.join(", ")}] by "${args.mergeMode}". Give both layers as many units, or merge by "concat".`,
      );
    },
    furtherShapes: (args, inputs) => {
      const [own, others] = halves(inputs);
      const [forward, backward] = bothOf(args);
      return [...forward.kind.furtherShapes(forward.args, own), ...backward.kind.furtherShapes(backward.args, others)];
    },
    weights: (args, inputs) => {
      const [forward, backward] = bothOf(args);
      return [...wrappedWeights(forward, inputs, "forward/"), ...wrappedWeights(backward, inputs, "backward/")];
    },
    emit: (args, inputs, context) => {
      const { builder } = context;
      const layers = bothOf(args);
      const [sequence, ...states] = inputs;
      if (sequence === undefined) throw new LearnError("layer-invalid", "Bidirectional has no input.");
      const half = Math.floor(states.length / 2);
      const given = [states.slice(0, half), states.slice(half)];
      const [one, other] = layers.map(({ kind, args: own }, index) =>
        kind.emit(
          own,
          [sequence, ...(given[index] ?? [])],
          wrappedContext(context, index === 0 ? "forward/" : "backward/"),
        ),
      ) as [LayerValue, LayerValue];
      const sequences = (layers[0].args as RecurrentArguments).returnSequences;
      const turned = sequences ? { ...other, value: reversed(builder, other.value, 1) } : other;
      const further = [...(one.further ?? []), ...(other.further ?? [])];
      const mask = sequences && sequence.mask !== undefined ? { mask: sequence.mask } : {};
      return {
        ...merged(builder, args.mergeMode, [one, turned]),
        ...mask,
        ...(further.length === 0 ? {} : { further }),
      };
    },
  });
};
