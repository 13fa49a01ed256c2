import { floatAttribute, integerAttribute, integersAttribute, textAttribute } from "../onnx/attributes.ts";
import type { GraphBuilder } from "../onnx/builder.ts";
import type { Attributes, Value } from "../onnx/graph.ts";
import { emitActivation } from "../layers/activations.ts";

/** A node to be applied again, its inputs known. */
export interface Application {
  readonly operator: string;
  readonly inputs: readonly (Value | undefined)[];
  readonly attributes: Attributes;
  readonly outputCount: number;
}

const without = (attributes: Attributes, ...keys: readonly string[]): Attributes =>
  Object.fromEntries(Object.entries(attributes).filter(([key]) => !keys.includes(key)));

/** Moves lists from attributes, where older operator sets have them, to inputs. */
const listsToInputs = (
  builder: GraphBuilder,
  node: Application,
  places: Readonly<Record<string, number>>,
): Application => {
  const inputs = [...node.inputs];
  for (const [key, place] of Object.entries(places)) {
    const list = integersAttribute(node.attributes, key);
    if (list === undefined) continue;
    while (inputs.length < place) inputs.push(undefined);
    inputs[place] = builder.integers(list);
  }
  return { ...node, inputs, attributes: without(node.attributes, ...Object.keys(places)) };
};

const clip = (builder: GraphBuilder, node: Application): Application => {
  const [x] = node.inputs;
  if (x === undefined || node.inputs.length > 1) return node;
  const limit = (key: string): Value | undefined =>
    key in node.attributes ? builder.scalarLike(x, floatAttribute(node.attributes, key, 0)) : undefined;
  return { ...node, inputs: [x, limit("min"), limit("max")], attributes: {} };
};

const pad = (builder: GraphBuilder, node: Application): Application => {
  const [x] = node.inputs;
  if (x === undefined || !("pads" in node.attributes)) return node;
  const moved = listsToInputs(builder, node, { pads: 1 });
  const value = builder.scalarLike(x, floatAttribute(node.attributes, "value", 0));
  return { ...moved, inputs: [...moved.inputs.slice(0, 2), value], attributes: without(moved.attributes, "value") };
};

const split = (builder: GraphBuilder, node: Application): Application => {
  const moved = listsToInputs(builder, node, { split: 1 });
  if (moved.inputs[1] !== undefined || "num_outputs" in moved.attributes) return moved;
  return { ...moved, attributes: { ...moved.attributes, num_outputs: node.outputCount } };
};

const reduction = (builder: GraphBuilder, node: Application): Application => listsToInputs(builder, node, { axes: 1 });

const changes: Readonly<Record<string, (builder: GraphBuilder, node: Application) => Application>> = {
  ...Object.fromEntries(
    ["Max", "Mean", "Min", "Sum", "Prod", "L1", "L2", "LogSum", "LogSumExp", "SumSquare"].map((kind) => [
      `Reduce${kind}`,
      reduction,
    ]),
  ),
  Squeeze: reduction,
  Unsqueeze: reduction,
  Slice: (builder, node) => listsToInputs(builder, node, { starts: 1, ends: 2, axes: 3 }),
  Split: split,
  Clip: clip,
  Pad: pad,
  Dropout: (_, { inputs, outputCount }) => ({
    operator: "Identity",
    inputs: inputs.slice(0, 1),
    attributes: {},
    outputCount: Math.min(outputCount, 1),
  }),
  BatchNormalization: (_, node) => ({
    ...node,
    outputCount: 1,
    attributes: without(node.attributes, "training_mode", "momentum", "spatial", "consumed_inputs"),
  }),
  Cast: (_, node) => ({ ...node, attributes: without(node.attributes, "saturate", "round_mode") }),
};

/** Operators of newer sets, written with those of the set that graphs are built in. */
const composed: Readonly<Record<string, (builder: GraphBuilder, node: Application) => Value | undefined>> = {
  Gelu: (builder, { inputs: [x], attributes }) =>
    x &&
    emitActivation(builder, x, {
      name: "gelu",
      approximate: textAttribute(attributes, "approximate", "none") === "tanh",
    }),
};

/** Whether softmax of an operator set before 13 means what it means now: over the last axis it does. */
const oldSoftmax = (node: Application, operatorSet: number): Application => {
  const softmax = node.operator === "Softmax" || node.operator === "LogSoftmax";
  if (!softmax || operatorSet >= 13 || "axis" in node.attributes) return node;
  return { ...node, attributes: { axis: integerAttribute(node.attributes, "axis", 1) } };
};

/** Applies a node of any supported operator set in a graph of ours. */
export const applyNode = (builder: GraphBuilder, given: Application, operatorSet: number): readonly Value[] => {
  const made = composed[given.operator]?.(builder, given);
  if (made !== undefined) return [made];
  const node = oldSoftmax(given, operatorSet);
  const { operator, inputs, attributes, outputCount } = changes[node.operator]?.(builder, node) ?? node;
  return builder.applyMany(operator, inputs, { attributes, outputCount });
};
