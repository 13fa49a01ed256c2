import { z } from "zod";
import { zerosLike } from "../../autodiff/rule.ts";
import type { Value } from "../../onnx/graph.ts";
import { emitLstm } from "../../recurrence/lstm.ts";
import { emitActivation } from "../activations.ts";
import type { LayerKind } from "../layer.ts";
import { gatedFields } from "./arguments.ts";
import type { GatedArguments } from "./arguments.ts";
import { withState } from "./cell.ts";
import type { Cell } from "./cell.ts";
import { operatorActivations, runOperator } from "./operator.ts";
import { recurrentLayer } from "./recurrent-layer.ts";

interface LstmArguments extends GatedArguments {
  /** Whether the forget gate's bias begins with ones. */
  readonly unitForgetBias: boolean;
}

/**
 * Long short-term memory with gates in the order input, forget, candidate, output.
 * Source: keras/src/layers/rnn/lstm.py.
 */
const lstmCell: Cell<LstmArguments> = {
  layer: "LSTM",
  gates: 4,
  states: 2,
  weights: ({ units, useBias, biasInitializer: own, unitForgetBias }) => {
    if (!useBias) return [];
    const initializer = unitForgetBias ? ({ name: "segments", parts: [own, "ones", own, own] } as const) : own;
    return [{ name: "bias", shape: [4 * units], initializer, trainable: true }];
  },
  inputBias: (_builder, _args, bias) => bias,
  step: (args, step) => {
    const { builder, states } = step;
    const sum = withState(step, step.weights.recurrent, step.input);
    const [zi, zf, zc, zo] = builder.applyMany("Split", [sum], {
      attributes: { axis: 1, num_outputs: 4 },
      outputCount: 4,
    }) as unknown as [Value, Value, Value, Value];
    const gate = (value: Value): Value => emitActivation(builder, value, args.recurrentActivation);
    const squash = (value: Value): Value => emitActivation(builder, value, args.activation);
    const fresh = builder.apply("Mul", [gate(zi), squash(zc)]);
    const [, before] = states;
    const cell = before === undefined ? fresh : builder.apply("Add", [builder.apply("Mul", [gate(zf), before]), fresh]);
    return [builder.apply("Mul", [gate(zo), squash(cell)]), cell];
  },
  fused: (args, { builder, x, weights, initial }) => {
    if (args.activation !== "tanh" || args.recurrentActivation !== "sigmoid") return undefined;
    const [hidden, cell] = initial;
    const run = emitLstm(builder, { x, ...weights, hidden, cell });
    return { sequence: run.sequence, states: [run.hidden, run.cell] };
  },
  operator: (args, run) => {
    const attributes = operatorActivations([args.recurrentActivation, args.activation, args.activation]);
    const [hidden, cell] = run.initial;
    if (attributes === undefined || (hidden === undefined) !== (cell === undefined)) return undefined;
    const { bias } = run.weights;
    return runOperator(run, {
      operator: "LSTM",
      order: [0, 3, 1, 2],
      attributes,
      biases: bias === undefined ? undefined : [bias, zerosLike(run.builder, bias)],
    });
  },
};

/** Long short-term memory: kernel [in, 4 · units], recurrent_kernel [units, 4 · units], bias [4 · units]. */
export const lstmLayer: LayerKind = recurrentLayer(
  lstmCell,
  z.strictObject({ ...gatedFields, unitForgetBias: z.boolean().default(true) }),
);
