import type { GraphBuilder } from "../../onnx/builder.ts";
import type { Attributes, Value } from "../../onnx/graph.ts";
import { activationOptions } from "../activation-config.ts";
import type { Activation } from "../activation-config.ts";
import type { Run, RunResult } from "./cell.ts";

interface OperatorActivation {
  readonly name: string;
  readonly alpha?: number;
  readonly beta?: number;
}

const known: Readonly<Record<string, OperatorActivation>> = {
  tanh: { name: "Tanh" },
  sigmoid: { name: "Sigmoid" },
  relu: { name: "Relu" },
  softsign: { name: "Softsign" },
  softplus: { name: "Softplus" },
  hard_sigmoid: { name: "HardSigmoid", alpha: 1 / 6, beta: 0.5 },
};

/** Attributes that name activations of a recurrent operator; undefined when it does not have one of them. */
export const operatorActivations = (activations: readonly Activation[]): Attributes | undefined => {
  const found = activations.map((activation) => {
    const { name, ...options } = activationOptions(activation);
    return Object.values(options).some((value) => value !== undefined) ? undefined : known[name];
  });
  const all = found.filter((one) => one !== undefined);
  if (all.length < found.length) return undefined;
  const floats = (key: "alpha" | "beta"): Attributes => {
    const list = all.flatMap((one) => one[key] ?? []);
    return list.length === 0 ? {} : { [`activation_${key}`]: { floats: list } };
  };
  return { activations: all.map(({ name }) => name), ...floats("alpha"), ...floats("beta") };
};

/** Puts the gates of a weight [.., gates · units] into another order and makes it [1, gates · units, ..]. */
const rearranged = (builder: GraphBuilder, weight: Value, order: readonly number[]): Value => {
  const axis = weight.shape.length - 1;
  const sorted = order.every((gate, index) => gate === index)
    ? weight
    : builder.apply(
        "Concat",
        order.map((gate) => gatesOf(builder, weight, order.length)[gate] as Value),
        { attributes: { axis } },
      );
  const turned = axis === 0 ? sorted : builder.apply("Transpose", [sorted], { attributes: { perm: [1, 0] } });
  return builder.apply("Unsqueeze", [turned, builder.integers([0])]);
};

const gatesOf = (builder: GraphBuilder, weight: Value, count: number): readonly Value[] =>
  builder.applyMany("Split", [weight], {
    attributes: { axis: weight.shape.length - 1, num_outputs: count },
    outputCount: count,
  });

/** Runs a sequence by one of ONNX's recurrent operators. */
export const runOperator = (
  { builder, x, weights, initial }: Run,
  options: {
    readonly operator: "RNN" | "GRU" | "LSTM";
    /** For each gate of the operator, its place in Keras' order. */
    readonly order: readonly number[];
    readonly attributes: Attributes;
    /** Input and recurrent bias, [gates · units] each. */
    readonly biases: readonly [Value, Value] | undefined;
  },
): RunResult => {
  const { operator, order, attributes, biases } = options;
  const units = Number(weights.recurrent.shape[0]);
  const direction = (value: Value): Value => builder.apply("Unsqueeze", [value, builder.integers([0])]);
  const states = initial.map((state) => (state === undefined ? undefined : direction(state)));
  const bias =
    biases === undefined
      ? undefined
      : builder.apply(
          "Concat",
          biases.map((one) => rearranged(builder, one, order)),
          { attributes: { axis: 1 } },
        );
  const outputs = builder.applyMany(
    operator,
    [
      x,
      rearranged(builder, weights.kernel, order),
      rearranged(builder, weights.recurrent, order),
      bias,
      ...(states.some((state) => state !== undefined) ? [undefined, ...states] : []),
    ],
    { attributes: { hidden_size: units, ...attributes }, outputCount: 1 + initial.length },
  );
  const [sequence = x, ...last] = outputs;
  return {
    sequence: builder.apply("Squeeze", [sequence, builder.integers([1])]),
    states: last.map((state) => builder.apply("Squeeze", [state, builder.integers([0])])),
  };
};
