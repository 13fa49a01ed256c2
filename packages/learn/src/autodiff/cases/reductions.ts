import { type GradientCases, op, positive, withAxes } from "./gradient-case.ts";

/** Reductions over axes. */
export const reductionCases: GradientCases = {
  ReduceSum: { shapes: [[2, 3, 4]], build: withAxes("ReduceSum", [0, 2], { keepdims: 0 }) },
  "ReduceSum of everything": { shapes: [[2, 3]], build: op("ReduceSum") },
  ReduceMean: { shapes: [[2, 3, 4]], build: withAxes("ReduceMean", [1], { keepdims: 1 }) },
  ReduceMax: { apart: true, shapes: [[2, 3, 4]], build: withAxes("ReduceMax", [1], { keepdims: 0 }) },
  ReduceMin: { apart: true, shapes: [[2, 3, 4]], build: withAxes("ReduceMin", [-1]) },
  ReduceProd: { shapes: [[2, 3]], build: withAxes("ReduceProd", [1], { keepdims: 0 }), range: positive },
  ReduceL1: { shapes: [[2, 3]], build: withAxes("ReduceL1", [0]), range: positive },
  ReduceL2: { shapes: [[2, 3]], build: withAxes("ReduceL2", [1], { keepdims: 0 }) },
  ReduceSumSquare: { shapes: [[2, 3]], build: withAxes("ReduceSumSquare", [1]) },
  ReduceLogSum: { shapes: [[2, 3]], build: withAxes("ReduceLogSum", [1]), range: positive },
  ReduceLogSumExp: { shapes: [[2, 3]], build: withAxes("ReduceLogSumExp", [1], { keepdims: 0 }) },
};
