import { z } from "zod";
import { emitActivation } from "../activations.ts";
import type { LayerKind } from "../layer.ts";
import { recurrentFields } from "./arguments.ts";
import type { RecurrentArguments } from "./arguments.ts";
import { withState } from "./cell.ts";
import type { Cell } from "./cell.ts";
import { operatorActivations, runOperator } from "./operator.ts";
import { recurrentLayer } from "./recurrent-layer.ts";
import { zerosLike } from "../../autodiff/rule.ts";

/** h = activation(x · kernel + h′ · recurrent + bias). Source: keras/src/layers/rnn/simple_rnn.py. */
const simpleRnnCell: Cell<RecurrentArguments> = {
  layer: "SimpleRNN",
  gates: 1,
  states: 1,
  weights: (args) =>
    args.useBias ? [{ name: "bias", shape: [args.units], initializer: args.biasInitializer, trainable: true }] : [],
  inputBias: (_builder, _args, bias) => bias,
  step: (args, step) => [
    emitActivation(step.builder, withState(step, step.weights.recurrent, step.input), args.activation),
  ],
  operator: (args, run) => {
    const attributes = operatorActivations([args.activation]);
    if (attributes === undefined) return undefined;
    const { bias } = run.weights;
    return runOperator(run, {
      operator: "RNN",
      order: [0],
      attributes,
      biases: bias === undefined ? undefined : [bias, zerosLike(run.builder, bias)],
    });
  },
};

/** A recurrent layer without gates: kernel [in, units], recurrent_kernel [units, units], bias [units]. */
export const simpleRnnLayer: LayerKind = recurrentLayer(simpleRnnCell, z.strictObject(recurrentFields));
