import { first, type GradientCases, op, withAxes } from "./gradient-case.ts";

/** Reshapes, transpositions, joins and broadcasts. */
export const layoutCases: GradientCases = {
  Reshape: { shapes: [[2, 6]], build: (b, inputs) => b.apply("Reshape", [first(inputs), b.integers([3, 4])]) },
  Flatten: { shapes: [[2, 3, 2]], build: op("Flatten", { axis: 1 }) },
  Squeeze: { shapes: [[2, 1, 3]], build: withAxes("Squeeze", [1]) },
  Unsqueeze: { shapes: [[2, 3]], build: withAxes("Unsqueeze", [0, 3]) },
  Transpose: { shapes: [[2, 3, 4]], build: op("Transpose", { perm: [2, 0, 1] }) },
  "Transpose by default": { shapes: [[2, 3, 4]], build: op("Transpose") },
  Concat: {
    shapes: [
      [2, 3],
      [2, 1],
      [2, 2],
    ],
    build: op("Concat", { axis: 1 }),
  },
  "Concat from the end": {
    shapes: [
      [2, 3],
      [2, 3],
    ],
    build: op("Concat", { axis: -2 }),
  },
  Expand: { shapes: [[3, 1]], build: (b, inputs) => b.apply("Expand", [first(inputs), b.integers([2, 3, 4])]) },
};
