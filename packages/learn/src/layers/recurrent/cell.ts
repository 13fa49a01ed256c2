import type { GraphBuilder } from "../../onnx/builder.ts";
import type { Value } from "../../onnx/graph.ts";
import type { WeightSpec } from "../layer.ts";
import type { RecurrentArguments } from "./arguments.ts";

/** A recurrent layer's weights as values of the graph. */
export interface CellWeights {
  /** [features, gates · units]. */
  readonly kernel: Value;
  /** [units, gates · units]. */
  readonly recurrent: Value;
  readonly bias: Value | undefined;
}

/** A sequence to run over. */
export interface Run {
  readonly builder: GraphBuilder;
  /** [steps, batch, features], in the order of computation. */
  readonly x: Value;
  readonly weights: CellWeights;
  /** [batch, units] each; a state left out is zero. */
  readonly initial: readonly (Value | undefined)[];
}

/** Results of a whole sequence. */
export interface RunResult {
  /** [steps, batch, units]. */
  readonly sequence: Value;
  /** [batch, units] each; the first is the last step's result. */
  readonly states: readonly Value[];
}

/** What one step sees. */
export interface StepInput {
  readonly builder: GraphBuilder;
  /** The input's part of the gates' arguments, [batch, gates · units], with the input's bias. */
  readonly input: Value;
  readonly states: readonly (Value | undefined)[];
  readonly weights: CellWeights;
  /** Multiplies the state in front of its product, for recurrent dropout. */
  readonly drop: (state: Value) => Value;
}

/** A kind of recurrent cell with its arguments. */
export interface Cell<Arguments extends RecurrentArguments> {
  readonly layer: string;
  readonly gates: number;
  /** Number of states; the first is the result. */
  readonly states: number;
  weights(args: Arguments, features: number): readonly WeightSpec[];
  /** The part of the bias that is added to the inputs' product. */
  inputBias(builder: GraphBuilder, args: Arguments, bias: Value): Value;
  /** One step of any configuration, which is differentiated node by node. */
  step(args: Arguments, step: StepInput): readonly Value[];
  /** The whole sequence as one operation with a gradient of its own; undefined for what it cannot do. */
  fused?(args: Arguments, run: Run): RunResult | undefined;
  /** The whole sequence by ONNX's own operator; undefined where that is not exact. */
  operator?(args: Arguments, run: Run): RunResult | undefined;
}

/** Product of a state with the recurrent kernel plus the input's part; a state that is zero adds nothing. */
export const withState = (step: StepInput, kernel: Value, input: Value): Value => {
  const [state] = step.states;
  return state === undefined ? input : step.builder.apply("Gemm", [step.drop(state), kernel, input]);
};
