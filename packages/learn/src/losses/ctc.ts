import { LearnError } from "../errors.ts";
import type { GraphBuilder } from "../onnx/builder.ts";
import type { Value } from "../onnx/graph.ts";
import { tensor } from "../onnx/tensor.ts";
import { emitOneHot } from "./crossentropy.ts";
import { complement, type LossInput, minus, plus, scaled, shifted, sumLast, times } from "./terms.ts";

/** Logarithm that stands for impossible: far below every sum of logarithms, and finite, so that 0 times it is 0. */
const impossible = -1e30;

const lengths = ({ prediction, target }: LossInput): { readonly steps: number; readonly labels: number } => {
  const [steps, labels] = [prediction.shape[1], target.shape[1]];
  if (prediction.shape.length === 3 && typeof steps === "number" && typeof labels === "number") {
    return { steps, labels };
  }
  throw new LearnError(
    "loss-invalid",
    `ctc takes logits [batch, steps, classes], but the output has ${prediction.shape.length} axes. End the model with a layer that keeps the steps.`,
  );
};

/** Values of the labels with zeros before, between and after them: [batch, labels] → [batch, 2 · labels + 1]. */
const betweenBlanks = (builder: GraphBuilder, x: Value, labels: number): Value => {
  const zeros = times(builder, x, builder.scalarLike(x, 0));
  const axis = builder.integers([2]);
  const pair = [zeros, x].map((side) => builder.apply("Unsqueeze", [side, axis]));
  const interleaved = builder.apply("Concat", pair, { attributes: { axis: 2 } });
  const row = builder.apply("Reshape", [interleaved, builder.integers([-1, 2 * labels])]);
  const last = builder.apply("Slice", [zeros, builder.integers([0]), builder.integers([1]), builder.integers([1])]);
  return builder.apply("Concat", [row, last], { attributes: { axis: 1 } });
};

/** Moves states forward by some places; what comes in at the front is impossible. */
const moved = (builder: GraphBuilder, states: Value, places: number): Value =>
  builder.apply("Pad", [states, builder.integers([0, places, 0, -places]), builder.scalarLike(states, impossible)]);

const logOfSum = (builder: GraphBuilder, terms: readonly Value[]): Value => {
  const top = terms.reduce((largest, term) => builder.apply("Max", [largest, term]));
  const sum = terms
    .map((term) => builder.apply("Exp", [minus(builder, term, top)]))
    .reduce((a, b) => plus(builder, a, b));
  return plus(builder, builder.apply("Log", [sum]), top);
};

/** 0 where a condition (1 or 0) holds, and impossible elsewhere. */
const onlyWhere = (builder: GraphBuilder, condition: Value): Value =>
  scaled(builder, complement(builder, condition), impossible);

/** States that may be reached by leaving out the blank before them: a label that differs from the one before. */
const mayFollow = (builder: GraphBuilder, target: Value, labels: number): Value => {
  const y = builder.cast(target, "float32");
  const before = builder.apply("Pad", [y, builder.integers([0, 1, 0, -1]), builder.scalarLike(y, 0)]);
  const same = builder.apply("Or", [
    builder.apply("Equal", [y, before]),
    builder.apply("Equal", [y, builder.scalarLike(y, 0)]),
  ]);
  return betweenBlanks(builder, builder.cast(builder.apply("Not", [same]), "float32"), labels);
};

/** States that a reading may end in: the last label, or the blank after it. */
const ends = (builder: GraphBuilder, target: Value, states: number): Value => {
  const y = builder.cast(target, "float32");
  const given = builder.cast(builder.apply("Greater", [y, builder.scalarLike(y, 0)]), "float32");
  const last = scaled(builder, sumLast(builder, given, true), 2);
  const places = builder.constant(
    tensor(
      "float32",
      [1, states],
      Array.from({ length: states }, (_, i) => i),
    ),
  );
  const either = builder.apply("Or", [
    builder.apply("Equal", [places, last]),
    builder.apply("Equal", [places, shifted(builder, last, -1)]),
  ]);
  return builder.cast(either, "float32");
};

/**
 * −log of the probability that logits [batch, steps, classes] read as labels [batch, labels], summed over all ways to
 * place blanks (class 0) and repetitions; zeros at the end of the labels are padding.
 * Infinite when the labels need more steps than there are. Source: Graves et al. 2006, keras/src/losses/losses.py `ctc`.
 */
export const ctc = (builder: GraphBuilder, input: LossInput): Value => {
  const { prediction, target } = input;
  const { steps, labels } = lengths(input);
  const states = 2 * labels + 1;
  const logs = builder.apply("LogSoftmax", [prediction], { attributes: { axis: -1 } });
  const rows = emitOneHot(builder, betweenBlanks(builder, builder.cast(target, "float32"), labels), prediction);
  const turned = builder.apply("Transpose", [logs], { attributes: { perm: [0, 2, 1] } });
  const emissions = builder.applyMany("Split", [builder.apply("MatMul", [rows, turned])], {
    attributes: { axis: 2, num_outputs: steps },
    outputCount: steps,
  });
  const at = (step: number): Value => builder.apply("Squeeze", [emissions[step], builder.integers([2])]);
  const first = Array.from({ length: states }, (_, state) => (state < 2 ? 0 : impossible));
  const skip = onlyWhere(builder, mayFollow(builder, target, labels));
  let alpha = plus(builder, at(0), builder.constant(tensor("float32", [1, states], first)));
  for (let step = 1; step < steps; step++) {
    const skipped = plus(builder, moved(builder, alpha, 2), skip);
    alpha = plus(builder, logOfSum(builder, [alpha, moved(builder, alpha, 1), skipped]), at(step));
  }
  const ended = plus(builder, alpha, onlyWhere(builder, ends(builder, target, states)));
  const total = builder.apply("ReduceLogSumExp", [ended, builder.integers([1])], { attributes: { keepdims: 0 } });
  const readable = builder.apply("Greater", [total, builder.scalarLike(total, impossible / 2)]);
  return builder.apply("Where", [readable, builder.apply("Neg", [total]), builder.scalarLike(total, Infinity)]);
};
