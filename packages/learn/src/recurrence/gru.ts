import { type GradientInput, type GradientRule, inputOf } from "../autodiff/rule.ts";
import type { GraphBuilder } from "../onnx/builder.ts";
import type { Value } from "../onnx/graph.ts";
import {
  add,
  asRows,
  asSteps,
  joined,
  mul,
  oneMinus,
  parts,
  product,
  shifted,
  sigmoidSlope,
  sub,
  tanhSlope,
  times,
} from "./steps.ts";

/** What a GRU is made of; gates stand in the order update, reset, candidate, as in Keras. */
export interface GruInputs {
  /** [steps, batch, features]. */
  readonly x: Value;
  /** [features, 3 · units]. */
  readonly kernel: Value;
  /** [units, 3 · units]. */
  readonly recurrent: Value;
  /** [3 · units], added to the inputs' product. */
  readonly bias: Value | undefined;
  /** [3 · units], added to the states' product before it is reset. */
  readonly recurrentBias: Value | undefined;
  /** [batch, units]; zeros when left out. */
  readonly hidden?: Value | undefined;
}

/** Name under which the whole recurrence is one operation. */
export const gruOperation = "Recurrence:GRU";

interface Step {
  /** Update and reset gate [batch, 2 · units]. */
  readonly gates: Value;
  readonly candidate: Value;
  /** The states' part of the candidate before it is reset. */
  readonly recalled: Value;
  readonly hidden: Value;
}

/** Cuts [.., 3 · units] into the gates' two thirds and the candidate's third. */
const gatesAndCandidate = (builder: GraphBuilder, value: Value): readonly [Value, Value] => {
  const axis = value.shape.length - 1;
  const units = Number(value.shape[axis]) / 3;
  return builder.applyMany("Split", [value, builder.integers([2 * units, units])], {
    attributes: { axis },
    outputCount: 2,
  }) as unknown as [Value, Value];
};

interface Weights {
  readonly gates: Value;
  readonly candidate: Value;
  readonly candidateBias: Value | undefined;
}

const step = (
  builder: GraphBuilder,
  [gateInput, candidateInput]: readonly [Value, Value],
  { hidden, weights }: { readonly hidden: Value; readonly weights: Weights },
): Step => {
  const gates = builder.apply("Sigmoid", [product(builder, [hidden, weights.gates], { plus: gateInput })]);
  const [z, r] = parts(builder, gates, { axis: 1, count: 2 }) as [Value, Value];
  const recalled = product(builder, [hidden, weights.candidate], { plus: weights.candidateBias });
  const candidate = builder.apply("Tanh", [add(builder, candidateInput, mul(builder, r, recalled))]);
  const next = add(builder, candidate, mul(builder, z, sub(builder, hidden, candidate)));
  return { gates, candidate, recalled, hidden: next };
};

/**
 * Writes a GRU with its usual activations that resets after the product (Cho et al. 2014, as in cuDNN), step by step
 * behind one product for all inputs, as one operation that is differentiated as a whole.
 * @returns All hidden states [steps, batch, units], and the last one [batch, units].
 */
export const emitGru = (
  builder: GraphBuilder,
  inputs: GruInputs & { readonly hidden: Value },
): { readonly sequence: Value; readonly hidden: Value } => {
  const { x, kernel, recurrent, bias, recurrentBias } = inputs;
  const steps = Number(x.shape[0]);
  const [sequence = x, hidden = x] = builder.group(
    gruOperation,
    [x, kernel, recurrent, bias, recurrentBias, inputs.hidden],
    () => {
      const all = product(builder, [asRows(builder, x), kernel], { plus: bias });
      const [gateRows, candidateRows] = gatesAndCandidate(builder, all);
      const [gates, candidate] = gatesAndCandidate(builder, recurrent);
      const [gateBias, candidateBias] = recurrentBias === undefined ? [] : gatesAndCandidate(builder, recurrentBias);
      const weights = { gates, candidate, candidateBias };
      const shiftedRows = gateBias === undefined ? gateRows : add(builder, gateRows, gateBias);
      const gateSteps = parts(builder, shiftedRows, { axis: 0, count: steps });
      const candidateSteps = parts(builder, candidateRows, { axis: 0, count: steps });
      const done: Step[] = [];
      for (const [at, gateInput] of gateSteps.entries()) {
        const last = done.at(-1)?.hidden ?? inputs.hidden;
        done.push(step(builder, [gateInput, candidateSteps[at] as Value], { hidden: last, weights }));
      }
      const rows = (pick: (one: Step) => Value): Value => joined(builder, done.map(pick), 0);
      const hiddenRows = rows((one) => one.hidden);
      return [
        asSteps(builder, hiddenRows, steps),
        done.at(-1)?.hidden ?? x,
        hiddenRows,
        rows((one) => one.gates),
        rows((one) => one.candidate),
        rows((one) => one.recalled),
      ];
    },
  );
  return { sequence, hidden };
};

/** What one step's gradient is multiplied by, cut into steps. */
interface Slopes {
  readonly update: readonly Value[];
  readonly reset: readonly Value[];
  /** From the hidden state's gradient to the update gate's argument: (h′ − candidate) · z(1 − z). */
  readonly toUpdate: readonly Value[];
  /** From the hidden state's gradient to the candidate's argument: (1 − z)(1 − candidate²). */
  readonly toCandidate: readonly Value[];
  /** From the candidate's argument to the reset gate's: recalled · r(1 − r). */
  readonly toReset: readonly Value[];
}

const slopesOf = (input: GradientInput, before: Value, steps: number): Slopes => {
  const { builder } = input;
  const [gates, candidate, recalled] = input.outputs.slice(3) as [Value, Value, Value];
  const [z, r] = parts(builder, gates, { axis: 1, count: 2 }) as [Value, Value];
  const cut = (rows: Value): readonly Value[] => parts(builder, rows, { axis: 0, count: steps });
  return {
    update: cut(z),
    reset: cut(r),
    toUpdate: cut(mul(builder, sub(builder, before, candidate), sigmoidSlope(builder, z))),
    toCandidate: cut(mul(builder, oneMinus(builder, z), tanhSlope(builder, candidate))),
    toReset: cut(mul(builder, recalled, sigmoidSlope(builder, r))),
  };
};

interface Backwards {
  /** Gradient of the states' product, [steps · batch, 3 · units]. */
  readonly recalled: Value;
  /** Gradient of the inputs' product, [steps · batch, 3 · units]. */
  readonly inputs: Value;
  readonly hidden: Value;
}

const backwards = (input: GradientInput, slopes: Slopes, steps: number): Backwards => {
  const { builder } = input;
  const [sequence, last] = input.upstream;
  const recurrent = inputOf(input, 2);
  const given = sequence === undefined ? [] : parts(builder, asRows(builder, sequence), { axis: 0, count: steps });
  const plus = (a: Value | undefined, b: Value | undefined): Value | undefined =>
    a === undefined || b === undefined ? (a ?? b) : add(builder, a, b);
  let hidden = plus(given.at(-1), last) ?? times(builder, slopes.update[0] ?? recurrent, 0);
  const [recalled, inputs]: [Value[], Value[]] = [[], []];
  for (let at = steps - 1; at >= 0; at--) {
    const dh: Value = hidden;
    const dz = mul(builder, dh, slopes.toUpdate[at] as Value);
    const dc = mul(builder, dh, slopes.toCandidate[at] as Value);
    const dr = mul(builder, dc, slopes.toReset[at] as Value);
    const drecalled = joined(builder, [dz, dr, mul(builder, dc, slopes.reset[at] as Value)], 1);
    recalled.unshift(drecalled);
    inputs.unshift(joined(builder, [dz, dr, dc], 1));
    const kept = plus(mul(builder, dh, slopes.update[at] as Value), at > 0 ? given[at - 1] : undefined);
    hidden = product(builder, [drecalled, recurrent], { transposed: "w", plus: kept });
  }
  return { recalled: joined(builder, recalled, 0), inputs: joined(builder, inputs, 0), hidden };
};

/** Backpropagation through time for {@link emitGru}: weights get their gradients in one product over all steps. */
export const gruGradient: GradientRule = (input) => {
  const { builder, wanted } = input;
  const [x, kernel] = [inputOf(input, 0), inputOf(input, 1)];
  const steps = Number(x.shape[0]);
  const [, , hiddenRows] = input.outputs;
  if (hiddenRows === undefined) throw new RangeError("The recurrence keeps no states.");
  const before = shifted(builder, hiddenRows, { steps, first: input.inputs[5] });
  const { recalled, inputs, hidden } = backwards(input, slopesOf(input, before, steps), steps);
  const sum = (rows: Value): Value =>
    builder.apply("ReduceSum", [rows, builder.integers([0])], { attributes: { keepdims: 0 } });
  return [
    wanted[0] ? asSteps(builder, product(builder, [inputs, kernel], { transposed: "w" }), steps) : undefined,
    wanted[1] ? product(builder, [asRows(builder, x), inputs], { transposed: "x" }) : undefined,
    wanted[2] ? product(builder, [before, recalled], { transposed: "x" }) : undefined,
    wanted[3] ? sum(inputs) : undefined,
    wanted[4] ? sum(recalled) : undefined,
    wanted[5] ? hidden : undefined,
  ];
};
