import { type GradientCases, op } from "./gradient-case.ts";

/** Matrix products. */
export const linearCases: GradientCases = {
  Gemm: { shapes: [[2, 3], [3, 4], [4]], build: op("Gemm") },
  "Gemm transposed": {
    shapes: [
      [3, 2],
      [4, 3],
    ],
    build: op("Gemm", { transA: 1, transB: 1 }),
  },
  "Gemm scaled": {
    shapes: [
      [2, 3],
      [4, 3],
      [1, 4],
    ],
    build: op("Gemm", { transB: 1, alpha: { float: 0.5 }, beta: { float: 2 } }),
  },
  MatMul: {
    shapes: [
      [2, 3],
      [3, 4],
    ],
    build: op("MatMul"),
  },
  "MatMul stacked": {
    shapes: [
      [5, 2, 3],
      [5, 3, 4],
    ],
    build: op("MatMul"),
  },
  "MatMul broadcast": {
    shapes: [
      [5, 2, 3],
      [3, 4],
    ],
    build: op("MatMul"),
  },
  "MatMul broadcast from the left": {
    shapes: [
      [2, 3],
      [5, 3, 4],
    ],
    build: op("MatMul"),
  },
  "MatMul of a row": { shapes: [[3], [3, 4]], build: op("MatMul") },
  "MatMul by a column": { shapes: [[5, 2, 3], [3]], build: op("MatMul") },
  "MatMul of rows": { shapes: [[3], [3]], build: op("MatMul") },
};
