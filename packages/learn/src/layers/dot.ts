import { z } from "zod";
import { LearnError } from "../errors.ts";
import type { GraphBuilder } from "../onnx/builder.ts";
import type { Value } from "../onnx/graph.ts";
import { elementCount } from "../onnx/tensor.ts";
import { defineLayer, sampleAxis } from "./layer.ts";
import type { LayerKind, LayerPlace, LayerValue, SampleShape } from "./layer.ts";
import { plain, reshapeSamples } from "./layout.ts";
import { cannotJoin } from "./merging.ts";

const schema = z.strictObject({
  axes: z.union([z.int(), z.tuple([z.int(), z.int()])]),
  normalize: z.boolean().default(false),
});
type Arguments = z.output<typeof schema>;

const contracted = ({ axes }: Arguments, inputs: readonly SampleShape[], place: LayerPlace): [number, number] => {
  const [left = [], right = []] = inputs;
  const [one, other] = typeof axes === "number" ? [axes, axes] : axes;
  const pair: [number, number] = [sampleAxis(one, left, place), sampleAxis(other, right, place)];
  if (left[pair[0]] !== right[pair[1]]) throw cannotJoin(place, inputs, `equal lengths along axes ${one} and ${other}`);
  return pair;
};

/** x / max(‖x‖, 1e-7) along an axis. */
const normalized = (builder: GraphBuilder, x: Value, axis: number): Value => {
  const square = builder.apply("ReduceSum", [builder.apply("Mul", [x, x]), builder.integers([axis])], {
    attributes: { keepdims: 1 },
  });
  const least = builder.apply("Max", [square, builder.scalarLike(square, 1e-14)]);
  return builder.apply("Div", [x, builder.apply("Sqrt", [least])]);
};

/** [batch, rest, length] with the contracted axis last. */
const asMatrix = (builder: GraphBuilder, input: LayerValue, axis: number): Value => {
  const rest = input.shape.map((_, at) => at).filter((at) => at !== axis);
  const perm = [0, ...rest.map((at) => at + 1), axis + 1];
  const last = perm.every((at, index) => at === index)
    ? input.value
    : builder.apply("Transpose", [input.value], { attributes: { perm } });
  return reshapeSamples(builder, last, [elementCount(rest.map((at) => input.shape[at] ?? 1)), input.shape[axis] ?? 1]);
};

/** Scalar products of two inputs along an axis of each; the axes count the batch as 0. */
export const dotLayer: LayerKind = defineLayer({
  layer: "Dot",
  arguments: schema,
  outputShape: (args, inputs, place) => {
    const [left, right] = inputs;
    if (left === undefined || right === undefined || inputs.length !== 2) {
      throw new LearnError("layer-invalid", `Dot "${place.name}" takes exactly two inputs, but ${inputs.length} came.`);
    }
    const [one, other] = contracted(args, inputs, place);
    const rest = [...left.toSpliced(one, 1), ...right.toSpliced(other, 1)];
    return rest.length === 0 ? [1] : rest;
  },
  emit: (args, inputs, { builder }) => {
    const [left, right] = inputs.map((input) => plain(builder, input));
    if (left === undefined || right === undefined) throw new LearnError("layer-invalid", "Dot takes two inputs.");
    const axes = contracted(args, [left.shape, right.shape], { layer: "Dot", name: "" });
    const [a, b] = [left, right].map((input, index) => {
      const axis = axes[index] ?? 0;
      const value = args.normalize ? normalized(builder, input.value, axis + 1) : input.value;
      return asMatrix(builder, { ...input, value }, axis);
    }) as [Value, Value];
    const swapped = builder.apply("Transpose", [b], { attributes: { perm: [0, 2, 1] } });
    const rest = [...left.shape.toSpliced(axes[0], 1), ...right.shape.toSpliced(axes[1], 1)];
    const shape = rest.length === 0 ? [1] : rest;
    return { value: reshapeSamples(builder, builder.apply("MatMul", [a, swapped]), shape), shape, layout: "plain" };
  },
});
