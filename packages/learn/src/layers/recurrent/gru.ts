import { z } from "zod";
import { zerosLike } from "../../autodiff/rule.ts";
import type { GraphBuilder } from "../../onnx/builder.ts";
import type { Value } from "../../onnx/graph.ts";
import { emitGru } from "../../recurrence/gru.ts";
import { emitActivation } from "../activations.ts";
import type { LayerKind } from "../layer.ts";
import { gatedFields } from "./arguments.ts";
import type { GatedArguments } from "./arguments.ts";
import type { Cell, StepInput } from "./cell.ts";
import { operatorActivations, runOperator } from "./operator.ts";
import { recurrentLayer } from "./recurrent-layer.ts";

interface GruArguments extends GatedArguments {
  /** Whether the state is reset behind its product (with a bias of its own) or in front of it. */
  readonly resetAfter: boolean;
}

/** Rows of a bias [2, 3 · units], or the only bias. */
const biasesOf = (builder: GraphBuilder, bias: Value): readonly Value[] =>
  bias.shape.length === 1
    ? [bias]
    : builder
        .applyMany("Split", [bias], { attributes: { axis: 0, num_outputs: 2 }, outputCount: 2 })
        .map((row) => builder.apply("Squeeze", [row, builder.integers([0])]));

const cut = (builder: GraphBuilder, value: Value, units: number): readonly [Value, Value] =>
  builder.applyMany("Split", [value, builder.integers([2 * units, units])], {
    attributes: { axis: value.shape.length - 1 },
    outputCount: 2,
  }) as unknown as [Value, Value];

/** The states' part of the arguments of the gates and, before it is reset, of the candidate. */
const recalled = (
  { builder, states, weights, drop }: StepInput,
  args: GruArguments,
): { readonly gates: Value | undefined; readonly candidate: (reset: Value) => Value | undefined } => {
  const { units, resetAfter } = args;
  const [gateKernel, kernel] = cut(builder, weights.recurrent, units);
  const second = weights.bias === undefined ? undefined : biasesOf(builder, weights.bias)[1];
  const [gateBias, bias] = second === undefined ? [] : cut(builder, second, units);
  const [state] = states;
  const product = (by: Value, plus: Value | undefined): Value | undefined => {
    if (state === undefined) return plus;
    return builder.apply("Gemm", plus === undefined ? [drop(state), by] : [drop(state), by, plus]);
  };
  return {
    gates: product(gateKernel, gateBias),
    candidate: (reset) => {
      if (resetAfter) {
        const sum = product(kernel, bias);
        return sum === undefined ? undefined : builder.apply("Mul", [reset, sum]);
      }
      return state === undefined
        ? undefined
        : builder.apply("MatMul", [builder.apply("Mul", [reset, drop(state)]), kernel]);
    },
  };
};

/**
 * Gated recurrent unit with gates in the order update, reset, candidate. Recurrent dropout holds for all products of the
 * state (Keras applies it only in its `implementation` 1).
 * Source: keras/src/layers/rnn/gru.py.
 */
const gruCell: Cell<GruArguments> = {
  layer: "GRU",
  gates: 3,
  states: 1,
  weights: ({ units, useBias, biasInitializer: initializer, resetAfter }) =>
    useBias ? [{ name: "bias", shape: resetAfter ? [2, 3 * units] : [3 * units], initializer, trainable: true }] : [],
  inputBias: (builder, _args, bias) => biasesOf(builder, bias)[0] ?? bias,
  step: (args, step) => {
    const { builder } = step;
    const plus = (a: Value, b: Value | undefined): Value => (b === undefined ? a : builder.apply("Add", [a, b]));
    const [gateInput, candidateInput] = cut(builder, step.input, args.units);
    const state = recalled(step, args);
    const gates = emitActivation(builder, plus(gateInput, state.gates), args.recurrentActivation);
    const [update, reset] = builder.applyMany("Split", [gates], {
      attributes: { axis: 1, num_outputs: 2 },
      outputCount: 2,
    }) as unknown as [Value, Value];
    const candidate = emitActivation(builder, plus(candidateInput, state.candidate(reset)), args.activation);
    const [before] = step.states;
    // z · h′ + (1 − z) · candidate
    if (before === undefined) {
      return [builder.apply("Sub", [candidate, builder.apply("Mul", [update, candidate])])];
    }
    const kept = builder.apply("Mul", [update, builder.apply("Sub", [before, candidate])]);
    return [builder.apply("Add", [candidate, kept])];
  },
  fused: (args, { builder, x, weights, initial }) => {
    const usual = args.activation === "tanh" && args.recurrentActivation === "sigmoid" && args.resetAfter;
    if (!usual) return undefined;
    const [bias, recurrentBias] = weights.bias === undefined ? [] : biasesOf(builder, weights.bias);
    const zeros = builder.apply("Expand", [
      builder.scalarLike(x, 0),
      builder.integers([Number(x.shape[1]), args.units]),
    ]);
    const run = emitGru(builder, {
      x,
      kernel: weights.kernel,
      recurrent: weights.recurrent,
      bias,
      recurrentBias,
      hidden: initial[0] ?? zeros,
    });
    return { sequence: run.sequence, states: [run.hidden] };
  },
  operator: (args, run) => {
    const attributes = operatorActivations([args.recurrentActivation, args.activation]);
    if (attributes === undefined) return undefined;
    const { bias } = run.weights;
    const [first, second] = bias === undefined ? [] : biasesOf(run.builder, bias);
    return runOperator(run, {
      operator: "GRU",
      order: [0, 1, 2],
      attributes: { ...attributes, linear_before_reset: args.resetAfter ? 1 : 0 },
      biases: first === undefined ? undefined : [first, second ?? zerosLike(run.builder, first)],
    });
  },
};

/** Gated recurrent unit: kernel [in, 3 · units], recurrent_kernel [units, 3 · units], bias [2, 3 · units] or [3 · units]. */
export const gruLayer: LayerKind = recurrentLayer(
  gruCell,
  z.strictObject({ ...gatedFields, resetAfter: z.boolean().default(true) }),
);
