import type { GraphBuilder } from "../../onnx/builder.ts";
import type { Value } from "../../onnx/graph.ts";
import { tensor } from "../../onnx/tensor.ts";
import { first, type GradientCases, op, single } from "./gradient-case.ts";

const table = (builder: GraphBuilder, shape: readonly number[], values: readonly number[]): Value =>
  builder.constant(tensor("int64", shape, values));

const axis = (builder: GraphBuilder, value: number): Value => table(builder, [], [value]);

const sliced =
  (...parts: readonly (readonly number[])[]) =>
  (builder: GraphBuilder, inputs: readonly Value[]): Value =>
    builder.apply("Slice", [first(inputs), ...parts.map((part) => builder.integers(part))]);

/** Picks, slices, paddings and repetitions. */
export const indexingCases: GradientCases = {
  Gather: {
    shapes: [[5, 3]],
    build: (b, inputs) => b.apply("Gather", [first(inputs), table(b, [2, 3], [0, 4, 4, 1, -1, 4])]),
  },
  "Gather inner axis": {
    shapes: [[2, 4, 3]],
    build: (b, inputs) => b.apply("Gather", [first(inputs), table(b, [3], [3, 0, 3])], { attributes: { axis: 1 } }),
  },
  "Gather one": {
    shapes: [[2, 4, 3]],
    build: (b, inputs) => b.apply("Gather", [first(inputs), axis(b, -2)], { attributes: { axis: 1 } }),
  },
  GatherElements: {
    shapes: [[3, 3]],
    build: (b, inputs) =>
      b.apply("GatherElements", [first(inputs), table(b, [2, 3], [0, 2, 2, 0, 1, 2])], { attributes: { axis: 0 } }),
  },
  ScatterElements: {
    shapes: [
      [3, 3],
      [2, 3],
    ],
    build: (b, [x, y]) => b.apply("ScatterElements", [x, table(b, [2, 3], [0, 2, 1, 1, 0, 2]), y]),
  },
  "ScatterElements added": {
    shapes: [
      [3, 3],
      [2, 3],
    ],
    build: (b, [x, y]) =>
      b.apply("ScatterElements", [x, table(b, [2, 3], [0, 0, 1, 0, 0, 2]), y], { attributes: { reduction: "add" } }),
  },
  TopK: {
    apart: true,
    shapes: [[3, 5]],
    build: (b, inputs) =>
      b.applyMany("TopK", [first(inputs), b.integers([2])], { attributes: { axis: 1 }, outputCount: 2 })[0] as Value,
  },
  Slice: { shapes: [[4, 5]], build: sliced([1, 0], [3, 4], [0, 1]) },
  "Slice from the end": { shapes: [[4, 5]], build: sliced([-3], [2 ** 31], [1]) },
  "Slice with steps": { shapes: [[4, 7]], build: sliced([1], [7], [1], [2]) },
  "Slice backwards": { shapes: [[4, 7]], build: sliced([-1, 0], [-(2 ** 31), 3], [1, 0], [-1, 2]) },
  Split: {
    shapes: [[2, 5]],
    build: (b, inputs) => {
      const [left, right] = b.applyMany("Split", [first(inputs), b.integers([2, 3])], {
        attributes: { axis: 1 },
        outputCount: 2,
      }) as [Value, Value];
      return b.apply("Concat", [b.apply("Mul", [left, left]), right, left], { attributes: { axis: 1 } });
    },
  },
  "Split, one part used": {
    shapes: [[6, 2]],
    build: (b, inputs) =>
      b.applyMany("Split", [first(inputs)], { attributes: { axis: 0, num_outputs: 3 }, outputCount: 3 })[1] as Value,
  },
  Pad: {
    shapes: [[2, 3]],
    build: (b, inputs) => b.apply("Pad", [first(inputs), b.integers([1, 0, 0, 2]), b.scalarLike(first(inputs), 0)]),
  },
  "Pad with a cut": {
    shapes: [[4, 3]],
    build: (b, inputs) => b.apply("Pad", [first(inputs), b.integers([-1, 0, 0, 2]), b.scalarLike(first(inputs), 0)]),
  },
  Tile: { shapes: [[2, 3]], build: (b, inputs) => b.apply("Tile", [first(inputs), b.integers([3, 2])]) },
  CumSum: { shapes: [[2, 4]], build: (b, inputs) => b.apply("CumSum", [first(inputs), axis(b, 1)]) },
  "CumSum exclusive, from the end": {
    shapes: [[2, 4]],
    build: (b, inputs) => b.apply("CumSum", [first(inputs), axis(b, 1)], { attributes: { exclusive: 1, reverse: 1 } }),
  },
  Trilu: { shapes: [[3, 4]], build: op("Trilu", { upper: 0 }), ...single },
};
