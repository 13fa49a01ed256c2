import { floatAttribute, integerAttribute } from "../../onnx/attributes.ts";
import type { GraphBuilder } from "../../onnx/builder.ts";
import type { Value } from "../../onnx/graph.ts";
import { requireStatic } from "../../onnx/shape.ts";
import { firstOf, type GradientInput, type GradientRule, inputOf, unbroadcast } from "../rule.ts";

interface Transposed {
  readonly value: Value;
  readonly transposed: boolean;
}

const product = (builder: GraphBuilder, a: Transposed, b: Transposed): Value =>
  builder.apply("Gemm", [a.value, b.value], {
    attributes: { transA: a.transposed ? 1 : 0, transB: b.transposed ? 1 : 0 },
  });

/** Gemm: Y = α·A′·B′ + β·C, where ′ is an optional transposition. */
const gemm: GradientRule = (input) => {
  const { builder, node, wanted } = input;
  const { dy } = firstOf(input);
  const alpha = floatAttribute(node.attributes, "alpha", 1);
  const scaled = alpha === 1 ? dy : builder.apply("Mul", [dy, builder.scalarLike(dy, alpha)]);
  const upstream = (transposed: boolean): Transposed => ({ value: scaled, transposed });
  const ta = integerAttribute(node.attributes, "transA", 0) === 1;
  const tb = integerAttribute(node.attributes, "transB", 0) === 1;
  const a = { value: inputOf(input, 0), transposed: !ta };
  const b = { value: inputOf(input, 1), transposed: !tb };
  const da = ta
    ? () => product(builder, { ...b, transposed: tb }, upstream(true))
    : () => product(builder, upstream(false), b);
  const db = tb
    ? () => product(builder, upstream(true), { ...a, transposed: ta })
    : () => product(builder, a, upstream(false));
  const c = input.inputs[2];
  const beta = floatAttribute(node.attributes, "beta", 1);
  const dc = (bias: Value): Value =>
    unbroadcast(builder, beta === 1 ? dy : builder.apply("Mul", [dy, builder.scalarLike(dy, beta)]), bias);
  return [wanted[0] ? da() : undefined, wanted[1] ? db() : undefined, c && wanted[2] ? dc(c) : undefined];
};

const swapLast = (builder: GraphBuilder, value: Value): Value => {
  const rank = value.shape.length;
  const perm = Array.from({ length: rank }, (_, axis) => axis);
  [perm[rank - 2], perm[rank - 1]] = [rank - 1, rank - 2];
  return builder.apply("Transpose", [value], { attributes: { perm } });
};

/** Rows and columns become matrices, as MatMul takes them. */
const asMatrix = (builder: GraphBuilder, value: Value, place: 0 | 1): Value =>
  value.shape.length === 1 ? builder.apply("Unsqueeze", [value, builder.integers([place])]) : value;

const shapedLike = (builder: GraphBuilder, gradient: Value, value: Value): Value =>
  gradient.shape.length === value.shape.length
    ? gradient
    : builder.apply("Reshape", [gradient, builder.integers(requireStatic(value.shape, "The gradient of MatMul"))]);

/** MatMul of matrices, stacks of matrices, rows and columns. */
const matMul: GradientRule = (input) => {
  const { builder, wanted } = input;
  const [left, right] = [inputOf(input, 0), inputOf(input, 1)];
  const [a, b] = [asMatrix(builder, left, 0), asMatrix(builder, right, 1)];
  const rank = Math.max(a.shape.length, b.shape.length);
  const given = firstOf(input).dy;
  const missing = [...(left.shape.length === 1 ? [rank - 2] : []), ...(right.shape.length === 1 ? [rank - 1] : [])];
  const dy = missing.length === 0 ? given : builder.apply("Unsqueeze", [given, builder.integers(missing)]);
  if (rank === 2) {
    const da = (): Value => product(builder, { value: dy, transposed: false }, { value: b, transposed: true });
    const db = (): Value => product(builder, { value: a, transposed: true }, { value: dy, transposed: false });
    return [
      wanted[0] ? shapedLike(builder, da(), left) : undefined,
      wanted[1] ? shapedLike(builder, db(), right) : undefined,
    ];
  }
  const da = (): Value => unbroadcast(builder, builder.apply("MatMul", [dy, swapLast(builder, b)]), a);
  const db = (): Value => unbroadcast(builder, builder.apply("MatMul", [swapLast(builder, a), dy]), b);
  return [
    wanted[0] ? shapedLike(builder, da(), left) : undefined,
    wanted[1] ? shapedLike(builder, sharedKernel(input, dy) ?? db(), right) : undefined,
  ];
};

/** One matrix for a whole stack: the stack is one tall matrix, so that its gradient is one product without a sum. */
const sharedKernel = (input: GradientInput, dy: Value): Value | undefined => {
  const { builder } = input;
  const [a, b] = [inputOf(input, 0), inputOf(input, 1)];
  if (b.shape.length !== 2 || a.shape.length < 3) return undefined;
  const tall = (value: Value): Value =>
    builder.apply("Reshape", [value, builder.integers([-1, Number(value.shape.at(-1))])]);
  return product(builder, { value: tall(a), transposed: true }, { value: tall(dy), transposed: false });
};

/** Gradients of matrix products. */
export const linearRules: Readonly<Record<string, GradientRule>> = { Gemm: gemm, MatMul: matMul };
