import { integerAttribute, textAttribute } from "../onnx/attributes.ts";
import type { GraphBuilder } from "../onnx/builder.ts";
import type { Value } from "../onnx/graph.ts";
import { emitGru } from "../recurrence/gru.ts";
import { emitLstm } from "../recurrence/lstm.ts";
import { joined, parts } from "../recurrence/steps.ts";
import { reversed } from "../layers/recurrent/recurrent-layer.ts";
import type { Application } from "./modernise.ts";

/** Results of one direction: all steps [steps, batch, units], then the last states [batch, units]. */
type Results = readonly [Value, ...Value[]];

interface Direction {
  readonly x: Value;
  /** Kernels [in, gates · units] and [units, gates · units], biases [gates · units], gates in Keras' order. */
  readonly kernel: Value;
  readonly recurrent: Value;
  readonly biases: readonly [Value, Value] | undefined;
  readonly states: readonly (Value | undefined)[];
}

const first = (builder: GraphBuilder, value: Value): Value => builder.apply("Squeeze", [value, builder.integers([0])]);

/** Gates [gates · units, …] in another order. */
const sorted = (builder: GraphBuilder, weight: Value, order: readonly number[]): Value => {
  const gates = parts(builder, weight, { axis: 0, count: order.length });
  return joined(
    builder,
    order.map((gate) => gates[gate] as Value),
    0,
  );
};

const directionsOf = (
  builder: GraphBuilder,
  { inputs }: Application,
  options: { readonly order: readonly number[]; readonly directions: number; readonly backwards: boolean },
): readonly Direction[] => {
  const { order, directions, backwards } = options;
  const [x, w, r, bias, , ...states] = inputs as [Value, Value, Value, ...(Value | undefined)[]];
  const cut = (value: Value): readonly Value[] =>
    parts(builder, value, { axis: 0, count: directions }).map((one) => first(builder, one));
  const turned = (value: Value): Value =>
    builder.apply("Transpose", [sorted(builder, value, order)], { attributes: { perm: [1, 0] } });
  const [kernels, recurrents] = [cut(w), cut(r)];
  const biases = bias === undefined ? [] : cut(bias);
  const initial = states.map((state) => (state === undefined ? [] : cut(state)));
  return kernels.map((kernel, at): Direction => {
    const both = biases[at] && parts(builder, biases[at], { axis: 0, count: 2 });
    return {
      x: backwards || at === 1 ? reversed(builder, x, 0) : x,
      kernel: turned(kernel),
      recurrent: turned(recurrents[at] as Value),
      biases: both && [sorted(builder, both[0] as Value, order), sorted(builder, both[1] as Value, order)],
      states: initial.map((list) => list[at]),
    };
  });
};

const lstm = (builder: GraphBuilder, { x, kernel, recurrent, biases, states }: Direction): Results => {
  const bias = biases && builder.apply("Add", [biases[0], biases[1]]);
  const run = emitLstm(builder, { x, kernel, recurrent, bias, hidden: states[0], cell: states[1] });
  return [run.sequence, run.hidden, run.cell];
};

const gru = (builder: GraphBuilder, { x, kernel, recurrent, biases, states }: Direction): Results => {
  const units = Number(recurrent.shape[0]);
  const zeros = (): Value =>
    builder.apply("Expand", [builder.scalarLike(x, 0), builder.integers([Number(x.shape[1]), units])]);
  const run = emitGru(builder, {
    x,
    kernel,
    recurrent,
    bias: biases?.[0],
    recurrentBias: biases?.[1],
    hidden: states[0] ?? zeros(),
  });
  return [run.sequence, run.hidden];
};

/** Whether a recurrent operator is of the usual kind, which has a gradient as a whole. */
const usual = ({ operator, inputs, attributes }: Application): boolean =>
  (operator === "LSTM" || (operator === "GRU" && integerAttribute(attributes, "linear_before_reset", 0) === 1)) &&
  attributes["activations"] === undefined &&
  attributes["clip"] === undefined &&
  integerAttribute(attributes, "layout", 0) === 0 &&
  integerAttribute(attributes, "input_forget", 0) === 0 &&
  inputs[4] === undefined &&
  inputs[7] === undefined;

/**
 * Writes ONNX's LSTM or GRU so that it can be differentiated; undefined for what has no such form.
 * @returns The operator's results: all steps [steps, directions, batch, units], then the last states.
 */
export const expandRecurrent = (builder: GraphBuilder, node: Application): readonly Value[] | undefined => {
  if (!usual(node)) return undefined;
  const direction = textAttribute(node.attributes, "direction", "forward");
  const directions = direction === "bidirectional" ? 2 : 1;
  const backwards = direction === "reverse";
  const order = node.operator === "LSTM" ? [0, 2, 3, 1] : [0, 1, 2];
  const runs = directionsOf(builder, node, { order, directions, backwards }).map((one) =>
    node.operator === "LSTM" ? lstm(builder, one) : gru(builder, one),
  );
  const stacked = (values: readonly Value[], axis: number): Value =>
    joined(
      builder,
      values.map((value) => builder.apply("Unsqueeze", [value, builder.integers([axis])])),
      axis,
    );
  const sequences = runs.map(([sequence], at) => (backwards || at === 1 ? reversed(builder, sequence, 0) : sequence));
  const states = (runs[0]?.slice(1) ?? []).map((_, place) =>
    stacked(
      runs.map((run) => run[place + 1] as Value),
      0,
    ),
  );
  return [stacked(sequences, 1), ...states];
};
