import { floatAttribute, integerAttribute } from "../../onnx/attributes.ts";
import type { GraphBuilder } from "../../onnx/builder.ts";
import type { Value } from "../../onnx/graph.ts";
import { firstOf, type GradientRule, inputOf, unbroadcast } from "../rule.ts";

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

/** MatMul of matrices or stacks of matrices. */
const matMul: GradientRule = (input) => {
  const { builder, wanted } = input;
  const { dy } = firstOf(input);
  const [a, b] = [inputOf(input, 0), inputOf(input, 1)];
  if (a.shape.length === 2 && b.shape.length === 2) {
    return [
      wanted[0] ? product(builder, { value: dy, transposed: false }, { value: b, transposed: true }) : undefined,
      wanted[1] ? product(builder, { value: a, transposed: true }, { value: dy, transposed: false }) : undefined,
    ];
  }
  return [
    wanted[0] ? unbroadcast(builder, builder.apply("MatMul", [dy, swapLast(builder, b)]), a) : undefined,
    wanted[1] ? unbroadcast(builder, builder.apply("MatMul", [swapLast(builder, a), dy]), b) : undefined,
  ];
};

/** Gradients of matrix products. */
export const linearRules: Readonly<Record<string, GradientRule>> = { Gemm: gemm, MatMul: matMul };
