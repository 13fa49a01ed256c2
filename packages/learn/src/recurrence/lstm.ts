import { type GradientInput, type GradientRule, inputOf } from "../autodiff/rule.ts";
import type { GraphBuilder } from "../onnx/builder.ts";
import type { Value } from "../onnx/graph.ts";
import { tensor } from "../onnx/tensor.ts";
import {
  add,
  asRows,
  asSteps,
  joined,
  mul,
  parts,
  product,
  shifted,
  sigmoidSlope,
  sub,
  tanhSlope,
  times,
} from "./steps.ts";

/** What an LSTM is made of; gates stand in the order input, forget, candidate, output, as in Keras. */
export interface LstmInputs {
  /** [steps, batch, features]. */
  readonly x: Value;
  /** [features, 4 · units]. */
  readonly kernel: Value;
  /** [units, 4 · units]. */
  readonly recurrent: Value;
  /** [4 · units]. */
  readonly bias: Value | undefined;
  /** [batch, units] each; zeros when left out. */
  readonly hidden?: Value | undefined;
  readonly cell?: Value | undefined;
}

/** Name under which the whole recurrence is one operation. */
export const lstmOperation = "Recurrence:LSTM";

/** One step's values; `gates` [batch, 4 · units] hold the logistic of all four, the candidate's with twice its argument. */
interface Step {
  readonly gates: Value;
  readonly cell: Value;
  readonly squashed: Value;
  readonly hidden: Value;
}

/** tanh(z) = 2σ(2z) − 1: with the candidate's columns doubled, one logistic serves all four gates. */
const doubled = (builder: GraphBuilder, weight: Value): Value => {
  const width = Number(weight.shape.at(-1));
  const factors = Array.from({ length: width }, (_, at) => (Math.floor((4 * at) / width) === 2 ? 2 : 1));
  return mul(builder, weight, builder.constant(tensor(weight.dtype, [width], factors)));
};

const step = (
  builder: GraphBuilder,
  input: Value,
  state: { readonly hidden: Value | undefined; readonly cell: Value | undefined; readonly recurrent: Value },
): Step => {
  const sum = state.hidden === undefined ? input : product(builder, [state.hidden, state.recurrent], { plus: input });
  const gates = builder.apply("Sigmoid", [sum]);
  const [i, f, s, o] = parts(builder, gates, { axis: 1, count: 4 }) as [Value, Value, Value, Value];
  const twice = mul(builder, i, s);
  const fresh = sub(builder, add(builder, twice, twice), i);
  const cell = state.cell === undefined ? fresh : add(builder, mul(builder, f, state.cell), fresh);
  const squashed = builder.apply("Tanh", [cell]);
  return { gates, cell, squashed, hidden: mul(builder, o, squashed) };
};

/**
 * Writes an LSTM with its usual activations (Hochreiter and Schmidhuber 1997; Gers et al. 2000), step by step behind one
 * product for all inputs, as one operation that is differentiated as a whole.
 * @returns All hidden states [steps, batch, units], the last one, and the last cell [batch, units] each.
 */
export const emitLstm = (
  builder: GraphBuilder,
  inputs: LstmInputs,
): { readonly sequence: Value; readonly hidden: Value; readonly cell: Value } => {
  const { x, kernel, recurrent, bias } = inputs;
  const steps = Number(x.shape[0]);
  const [sequence = x, hidden = x, cell = x] = builder.group(
    lstmOperation,
    [x, kernel, recurrent, bias, inputs.hidden, inputs.cell],
    () => {
      const plus = bias === undefined ? undefined : doubled(builder, bias);
      const all = product(builder, [asRows(builder, x), doubled(builder, kernel)], { plus });
      const weight = doubled(builder, recurrent);
      const done: Step[] = [];
      for (const input of parts(builder, all, { axis: 0, count: steps })) {
        const last = done.at(-1);
        done.push(
          step(builder, input, {
            hidden: last === undefined ? inputs.hidden : last.hidden,
            cell: last === undefined ? inputs.cell : last.cell,
            recurrent: weight,
          }),
        );
      }
      const rows = (pick: (one: Step) => Value): Value => joined(builder, done.map(pick), 0);
      const hiddenRows = rows((one) => one.hidden);
      const last = done.at(-1) ?? { hidden: x, cell: x };
      return [
        asSteps(builder, hiddenRows, steps),
        last.hidden,
        last.cell,
        hiddenRows,
        rows((one) => one.gates),
        rows((one) => one.cell),
        rows((one) => one.squashed),
      ];
    },
  );
  return { sequence, hidden, cell };
};

/** What one step's gradient is multiplied by, cut into steps. */
interface Slopes {
  /** From the hidden state's gradient to the cell's: o · (1 − tanh²(c)). */
  readonly toCell: readonly Value[];
  /** From [dc, dc, dc, dh] to the gates' arguments. */
  readonly toGates: readonly Value[];
  readonly forget: readonly Value[];
}

const slopesOf = (builder: GraphBuilder, input: GradientInput, steps: number): Slopes => {
  const [, , , , gates, cells, squashed] = input.outputs as Value[] as [
    Value,
    Value,
    Value,
    Value,
    Value,
    Value,
    Value,
  ];
  const [i, f, s, o] = parts(builder, gates, { axis: 1, count: 4 }) as [Value, Value, Value, Value];
  const candidate = sub(builder, add(builder, s, s), builder.scalarLike(s, 1));
  const before = shifted(builder, cells, { steps, first: input.inputs[5] });
  const besides = joined(builder, [candidate, before, times(builder, i, 4), squashed], 1);
  const cut = (rows: Value): readonly Value[] => parts(builder, rows, { axis: 0, count: steps });
  return {
    toCell: cut(mul(builder, o, tanhSlope(builder, squashed))),
    toGates: cut(mul(builder, sigmoidSlope(builder, gates), besides)),
    forget: cut(f),
  };
};

/** Gradients of the gates' arguments, step by step from the last one, and what is left for the initial states. */
const backwards = (
  builder: GraphBuilder,
  input: GradientInput,
  steps: number,
): { readonly gates: Value; readonly hidden: Value; readonly cell: Value } => {
  const [sequence, lastHidden, lastCell] = input.upstream;
  const recurrent = inputOf(input, 2);
  const slopes = slopesOf(builder, input, steps);
  const given = sequence === undefined ? [] : parts(builder, asRows(builder, sequence), { axis: 0, count: steps });
  const plus = (a: Value | undefined, b: Value | undefined): Value | undefined =>
    a === undefined || b === undefined ? (a ?? b) : add(builder, a, b);
  const zeros = times(builder, slopes.forget[0] ?? recurrent, 0);
  const gates: Value[] = [];
  let hidden: Value = plus(given.at(-1), lastHidden) ?? zeros;
  let cell: Value | undefined = lastCell;
  for (let at = steps - 1; at >= 0; at--) {
    const dc: Value = plus(mul(builder, hidden, slopes.toCell[at] as Value), cell) as Value;
    const dz = mul(builder, joined(builder, [dc, dc, dc, hidden], 1), slopes.toGates[at] as Value);
    gates.unshift(dz);
    cell = mul(builder, dc, slopes.forget[at] as Value);
    hidden = product(builder, [dz, recurrent], { transposed: "w", plus: at > 0 ? given[at - 1] : undefined });
  }
  return { gates: joined(builder, gates, 0), hidden, cell: cell ?? zeros };
};

/** Backpropagation through time for {@link emitLstm}: weights get their gradients in one product over all steps. */
export const lstmGradient: GradientRule = (input) => {
  const { builder, wanted } = input;
  const [x, kernel] = [inputOf(input, 0), inputOf(input, 1)];
  const steps = Number(x.shape[0]);
  const { gates, hidden, cell } = backwards(builder, input, steps);
  const hiddenRows = input.outputs[3];
  if (hiddenRows === undefined) throw new RangeError("The recurrence keeps no states.");
  const before = (): Value => shifted(builder, hiddenRows, { steps, first: input.inputs[4] });
  return [
    wanted[0] ? asSteps(builder, product(builder, [gates, kernel], { transposed: "w" }), steps) : undefined,
    wanted[1] ? product(builder, [asRows(builder, x), gates], { transposed: "x" }) : undefined,
    wanted[2] ? product(builder, [before(), gates], { transposed: "x" }) : undefined,
    wanted[3] ? builder.apply("ReduceSum", [gates, builder.integers([0])], { attributes: { keepdims: 0 } }) : undefined,
    wanted[4] ? hidden : undefined,
    wanted[5] ? cell : undefined,
  ];
};
