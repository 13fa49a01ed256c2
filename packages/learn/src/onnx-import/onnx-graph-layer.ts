import { LearnError } from "../errors.ts";
import { defineLayer } from "../layers/layer.ts";
import type { LayerKind, LayerPlace, LayerValue, SampleShape, WeightSpec } from "../layers/layer.ts";
import { plain } from "../layers/layout.ts";
import { GraphBuilder } from "../onnx/builder.ts";
import type { Value } from "../onnx/graph.ts";
import { attributesOf, type GraphArguments, graphSchema, tensorOf } from "./json-graph.ts";
import { applyNode } from "./modernise.ts";
import { expandRecurrent } from "./recurrent.ts";

/** Where a graph is written to. */
interface Target {
  readonly builder: GraphBuilder;
  /** Values for the graph's inputs, in order. */
  readonly inputs: readonly Value[];
  readonly weight: (name: string) => Value;
  /** Whether it must be possible to differentiate the result. */
  readonly differentiable: boolean;
}

/** Writes an imported graph's nodes once more; returns its outputs. */
const replay = (args: GraphArguments, target: Target): readonly Value[] => {
  const { builder } = target;
  const values = new Map<string, Value>();
  const valueOf = (name: string): Value | undefined => {
    if (name === "") return undefined;
    const known = values.get(name);
    if (known !== undefined) return known;
    const constant = args.constants[name];
    const value = constant === undefined ? target.weight(name) : builder.constant(tensorOf(constant));
    values.set(name, value);
    return value;
  };
  for (const [index, { name, dtype }] of args.feeds.entries()) {
    const input = target.inputs[index];
    if (input !== undefined) values.set(name, builder.cast(input, dtype));
  }
  for (const { operator, inputs, outputs, attributes } of args.nodes) {
    const node = {
      operator,
      inputs: inputs.map(valueOf),
      attributes: attributesOf(attributes),
      outputCount: outputs.length,
    };
    const expanded = target.differentiable ? expandRecurrent(builder, node) : undefined;
    const results = expanded ?? applyNode(builder, node, args.operatorSet);
    for (const [index, name] of outputs.entries()) {
      const result = results[index];
      if (result !== undefined && name !== "") values.set(name, result);
    }
  }
  return args.outputs.map((name) => valueOf(name) as Value);
};

const open = "N";

/** Shapes of a graph's outputs for one sample. */
const sampleShapes = (
  args: GraphArguments,
  inputs: readonly SampleShape[],
  place: LayerPlace,
): readonly SampleShape[] => {
  if (inputs.length !== args.feeds.length) {
    throw new LearnError(
      "layer-invalid",
      `${place.layer} "${place.name}" takes ${args.feeds.length} input(s), ${args.feeds.map(({ name }) => name).join(", ")}, but ${inputs.length} came.`,
    );
  }
  const builder = new GraphBuilder();
  const outputs = replay(args, {
    builder,
    inputs: inputs.map((shape, index) => builder.input(`input ${index}`, "float32", [open, ...shape])),
    weight: (name) => builder.input(`weight ${name}`, "float32", args.weights[name]?.shape ?? []),
    differentiable: false,
  });
  return outputs.map(({ shape, dtype }, index) => {
    const [batch, ...sample] = shape;
    if (batch === open && dtype === "float32" && sample.every((length) => typeof length === "number")) {
      return sample.length === 0 ? [1] : sample;
    }
    throw new LearnError(
      "shape-mismatch",
      `The output "${args.outputs[index] ?? ""}" of ${place.layer} "${place.name}" has the shape [${shape.join(", ")}] and the type ${dtype}; a layer's result has an open batch in front, known lengths and the type float32. Export the model with a dynamic batch axis, or take another value.`,
    );
  });
};

const weightsOf = (args: GraphArguments): readonly WeightSpec[] =>
  Object.entries(args.weights).map(([name, { shape, trainable }]) => ({
    name,
    shape,
    initializer: "zeros",
    trainable: trainable && !args.frozen.some((beginning) => name.startsWith(beginning)),
  }));

/** An imported ONNX graph as a layer: its initializers are weights that can be learnt, its nodes run as they are. */
export const onnxGraphLayer: LayerKind = defineLayer<GraphArguments>({
  layer: "OnnxGraph",
  arguments: graphSchema,
  outputShape: (args, inputs, place) => sampleShapes(args, inputs, place)[0] ?? [],
  furtherShapes: (args, inputs) => sampleShapes(args, inputs, { layer: "OnnxGraph", name: "" }).slice(1),
  weights: weightsOf,
  emit: (args, inputs, context) => {
    const { builder } = context;
    const outputs = replay(args, {
      builder,
      inputs: inputs.map((input) => plain(builder, input).value),
      weight: (name) => context.weight(name),
      differentiable: context.differentiable,
    });
    const [result, ...further] = outputs.map((value): LayerValue => {
      const shape = value.shape.slice(1).map(Number);
      if (shape.length > 0) return { value, shape, layout: "plain" };
      return { value: builder.apply("Unsqueeze", [value, builder.integers([1])]), shape: [1], layout: "plain" };
    });
    if (result === undefined) throw new LearnError("layer-invalid", "OnnxGraph has no output.");
    return further.length === 0 ? result : { ...result, further };
  },
});
