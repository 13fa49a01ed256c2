import type { GraphBuilder } from "../../onnx/builder.ts";
import type { Value } from "../../onnx/graph.ts";
import { emitGru } from "../../recurrence/gru.ts";
import { emitLstm } from "../../recurrence/lstm.ts";
import type { GradientCases } from "./gradient-case.ts";

const flat = (builder: GraphBuilder, value: Value): Value => builder.apply("Reshape", [value, builder.integers([-1])]);

const lstm =
  (pick: (results: ReturnType<typeof emitLstm>) => readonly Value[]) =>
  (builder: GraphBuilder, inputs: readonly Value[]): Value => {
    const [x, kernel, recurrent, bias, hidden, cell] = inputs as [Value, Value, Value, ...Value[]];
    const results = pick(emitLstm(builder, { x, kernel, recurrent, bias, hidden, cell }));
    return builder.apply(
      "Concat",
      results.map((value) => flat(builder, value)),
      { attributes: { axis: 0 } },
    );
  };

const gru =
  (pick: (results: ReturnType<typeof emitGru>) => readonly Value[]) =>
  (builder: GraphBuilder, inputs: readonly Value[]): Value => {
    const [x, kernel, recurrent, hidden, bias, recurrentBias] = inputs as [Value, Value, Value, Value, ...Value[]];
    const results = pick(emitGru(builder, { x, kernel, recurrent, bias, recurrentBias, hidden }));
    return builder.apply(
      "Concat",
      results.map((value) => flat(builder, value)),
      { attributes: { axis: 0 } },
    );
  };

/** Recurrences that are differentiated as a whole: 3 steps, 2 samples, 4 features, 2 units. */
export const recurrentCases: GradientCases = {
  "Recurrence:LSTM": {
    shapes: [[3, 2, 4], [4, 8], [2, 8], [8], [2, 2], [2, 2]],
    build: lstm(({ sequence, hidden, cell }) => [sequence, hidden, cell]),
  },
  "Recurrence:LSTM from zeros, last state only": {
    shapes: [
      [3, 2, 4],
      [4, 8],
      [2, 8],
    ],
    build: lstm(({ hidden }) => [hidden]),
  },
  "Recurrence:LSTM, sequence only": {
    shapes: [[3, 2, 4], [4, 8], [2, 8], [8]],
    build: lstm(({ sequence }) => [sequence]),
  },
  "Recurrence:LSTM of one step, cell only": {
    shapes: [[1, 2, 4], [4, 8], [2, 8], [8]],
    build: lstm(({ cell }) => [cell]),
  },
  "Recurrence:GRU": {
    shapes: [[3, 2, 4], [4, 6], [2, 6], [2, 2], [6], [6]],
    build: gru(({ sequence, hidden }) => [sequence, hidden]),
  },
  "Recurrence:GRU, last state only": {
    shapes: [
      [3, 2, 4],
      [4, 6],
      [2, 6],
      [2, 2],
    ],
    build: gru(({ hidden }) => [hidden]),
  },
};
