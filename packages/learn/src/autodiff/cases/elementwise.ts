import { first, type GradientCases, op, positive, single } from "./gradient-case.ts";

const inner = [-0.9, 0.9] as const;

/** Arithmetic, powers, extrema, choices and elementary functions. */
export const elementwiseCases: GradientCases = {
  Identity: { shapes: [[2, 3]], build: op("Identity") },
  Add: {
    shapes: [
      [2, 3],
      [2, 3],
    ],
    build: op("Add"),
  },
  "Add broadcast": {
    shapes: [
      [4, 2, 3],
      [2, 1],
    ],
    build: op("Add"),
  },
  "Sub broadcast": { shapes: [[3], [2, 3]], build: op("Sub") },
  "Mul broadcast": {
    shapes: [
      [2, 1, 3],
      [4, 1],
    ],
    build: op("Mul"),
  },
  "Div broadcast": {
    shapes: [
      [2, 3],
      [1, 3],
    ],
    build: op("Div"),
    range: positive,
  },
  Pow: {
    shapes: [
      [2, 3],
      [2, 3],
    ],
    build: op("Pow"),
    range: positive,
  },
  "Pow broadcast": { shapes: [[2, 3], [1]], build: op("Pow"), range: positive },
  "Max broadcast": { shapes: [[2, 3], [3]], build: op("Max") },
  "Max of three": { shapes: [[2, 3], [3], [2, 1]], build: op("Max") },
  "Min broadcast": {
    shapes: [
      [2, 3],
      [2, 1],
    ],
    build: op("Min"),
  },
  "Min of three": { shapes: [[2, 3], [3], [2, 3]], build: op("Min") },
  "Sum of three": { shapes: [[2, 3], [3], [2, 1]], build: op("Sum"), ...single },
  "Mean of three": { shapes: [[2, 3], [3], [2, 1]], build: op("Mean"), ...single },
  Neg: { shapes: [[5]], build: op("Neg") },
  Abs: { shapes: [[7]], build: op("Abs") },
  Exp: { shapes: [[7]], build: op("Exp") },
  Log: { shapes: [[7]], build: op("Log"), range: positive },
  Sqrt: { shapes: [[7]], build: op("Sqrt"), range: positive },
  Reciprocal: { shapes: [[7]], build: op("Reciprocal"), range: positive },
  Sin: { shapes: [[7]], build: op("Sin") },
  Cos: { shapes: [[7]], build: op("Cos") },
  Tan: { shapes: [[7]], build: op("Tan"), ...single },
  Atan: { shapes: [[7]], build: op("Atan"), ...single },
  Sinh: { shapes: [[7]], build: op("Sinh"), ...single },
  Cosh: { shapes: [[7]], build: op("Cosh"), ...single },
  Softmax: { shapes: [[3, 5]], build: op("Softmax", { axis: -1 }) },
  "Softmax inner axis": { shapes: [[2, 3, 4]], build: op("Softmax", { axis: 1 }) },
  LogSoftmax: { shapes: [[3, 5]], build: op("LogSoftmax", { axis: -1 }) },
  "LogSoftmax inner axis": { shapes: [[2, 3, 4]], build: op("LogSoftmax", { axis: 1 }) },
  Clip: {
    shapes: [[9]],
    build: (b, inputs) =>
      b.apply("Clip", [first(inputs), b.scalarLike(first(inputs), -0.5), b.scalarLike(first(inputs), 0.5)]),
  },
  "Clip below only": {
    shapes: [[9]],
    build: (b, inputs) => b.apply("Clip", [first(inputs), b.scalarLike(first(inputs), -0.25)]),
    range: inner,
  },
  Where: {
    shapes: [[2, 3], [3]],
    build: (b, [x, y]) => b.apply("Where", [b.apply("Greater", [x, y]), x, b.apply("Mul", [y, y])]),
  },
  Cast: {
    shapes: [[5]],
    build: (b, inputs) => b.cast(b.cast(first(inputs), "float64"), "float32"),
    ...single,
  },
  Dropout: { shapes: [[5]], build: op("Dropout"), ...single },
};
