import { floatAttribute } from "../../onnx/attributes.ts";
import type { GraphBuilder } from "../../onnx/builder.ts";
import type { Value } from "../../onnx/graph.ts";
import { firstOf, type GradientInput, type GradientRule, inputOf, unbroadcast } from "../rule.ts";

/** What the derivative of a function of one argument is made of. */
interface Unary {
  readonly builder: GraphBuilder;
  readonly x: Value;
  readonly y: Value;
  readonly dy: Value;
  readonly input: GradientInput;
}

const unary =
  (derivative: (unary: Unary) => Value): GradientRule =>
  (input) => {
    const { dy, y } = firstOf(input);
    return [derivative({ builder: input.builder, x: inputOf(input, 0), y, dy, input })];
  };

const binary =
  (left: (input: GradientInput, dy: Value) => Value, right: (input: GradientInput, dy: Value) => Value): GradientRule =>
  (input) => {
    const { dy } = firstOf(input);
    return [left, right].map((side, index) =>
      input.wanted[index] ? unbroadcast(input.builder, side(input, dy), inputOf(input, index)) : undefined,
    );
  };

const mul = (b: GraphBuilder, x: Value, y: Value): Value => b.apply("Mul", [x, y]);
const neg = (b: GraphBuilder, x: Value): Value => b.apply("Neg", [x]);
const oneMinus = (b: GraphBuilder, x: Value): Value => b.apply("Sub", [b.scalarLike(x, 1), x]);

/** ReLU's result is never negative: whether it is not zero is its slope, in half the time that Sign takes. */
const relu = unary(({ builder, y, dy }) => mul(builder, dy, builder.cast(builder.cast(y, "bool"), dy.dtype)));

const elu = unary(({ builder, x, y, dy, input }) => {
  const alpha = builder.scalarLike(x, floatAttribute(input.node.attributes, "alpha", 1));
  const negative = mul(builder, dy, builder.apply("Add", [y, alpha]));
  return builder.apply("Where", [builder.apply("Greater", [x, builder.scalarLike(x, 0)]), dy, negative]);
});

const leakyRelu = unary(({ builder, x, dy, input }) => {
  const slope = builder.scalarLike(x, floatAttribute(input.node.attributes, "alpha", 0.01));
  return builder.apply("Where", [builder.apply("Greater", [x, builder.scalarLike(x, 0)]), dy, mul(builder, dy, slope)]);
});

const erf = unary(({ builder, x, dy }) => {
  const density = builder.apply("Exp", [neg(builder, mul(builder, x, x))]);
  return mul(builder, dy, mul(builder, density, builder.scalarLike(x, 2 / Math.sqrt(Math.PI))));
});

const pow: GradientRule = (input) => {
  const { builder, wanted } = input;
  const { dy, y } = firstOf(input);
  const [x, exponent] = [inputOf(input, 0), inputOf(input, 1)];
  const lower = builder.apply("Pow", [x, builder.apply("Sub", [exponent, builder.scalarLike(exponent, 1)])]);
  const base = wanted[0] ? unbroadcast(builder, mul(builder, dy, mul(builder, exponent, lower)), x) : undefined;
  const power = wanted[1]
    ? unbroadcast(builder, mul(builder, dy, mul(builder, y, builder.apply("Log", [x]))), exponent)
    : undefined;
  return [base, power];
};

/** Max and Min: the gradient goes to the input that won; the first one on a tie. */
const extremum =
  (comparison: "GreaterOrEqual" | "LessOrEqual"): GradientRule =>
  (input) => {
    const { builder } = input;
    const { dy } = firstOf(input);
    const [a, b] = [inputOf(input, 0), inputOf(input, 1)];
    const toFirst = mul(builder, dy, builder.cast(builder.apply(comparison, [a, b]), dy.dtype));
    return [
      input.wanted[0] ? unbroadcast(builder, toFirst, a) : undefined,
      input.wanted[1] ? unbroadcast(builder, builder.apply("Sub", [dy, toFirst]), b) : undefined,
    ];
  };

/** Clip passes the gradient where the value was inside the limits. */
const clip: GradientRule = (input) => {
  const { builder } = input;
  const { dy } = firstOf(input);
  const x = inputOf(input, 0);
  const masks = [input.inputs[1], input.inputs[2]].flatMap((limit, index) =>
    limit === undefined ? [] : [builder.apply(index === 0 ? "GreaterOrEqual" : "LessOrEqual", [x, limit])],
  );
  return [masks.reduce((gradient, mask) => mul(builder, gradient, builder.cast(mask, dy.dtype)), dy)];
};

const where: GradientRule = (input) => {
  const { builder, wanted } = input;
  const { dy } = firstOf(input);
  const condition = inputOf(input, 0);
  const zero = builder.scalarLike(dy, 0);
  const yes = wanted[1] ? builder.apply("Where", [condition, dy, zero]) : undefined;
  const no = wanted[2] ? builder.apply("Where", [condition, zero, dy]) : undefined;
  return [
    undefined,
    yes && unbroadcast(builder, yes, inputOf(input, 1)),
    no && unbroadcast(builder, no, inputOf(input, 2)),
  ];
};

const divide = binary(
  (input, dy) => input.builder.apply("Div", [dy, inputOf(input, 1)]),
  (input, dy) => {
    const { builder } = input;
    const { y } = firstOf(input);
    return neg(builder, builder.apply("Div", [mul(builder, dy, y), inputOf(input, 1)]));
  },
);

const softmaxGradient = (input: GradientInput, axes: readonly number[]): Value => {
  const { builder } = input;
  const { dy, y } = firstOf(input);
  const weighted = mul(builder, dy, y);
  const sum = builder.apply("ReduceSum", [weighted, builder.integers(axes)], { attributes: { keepdims: 1 } });
  return builder.apply("Sub", [weighted, mul(builder, y, sum)]);
};

const axisOf = ({ node }: GradientInput): number =>
  typeof node.attributes["axis"] === "number" ? node.attributes["axis"] : -1;

const logSoftmax: GradientRule = (input) => {
  const { builder } = input;
  const { dy, y } = firstOf(input);
  const sum = builder.apply("ReduceSum", [dy, builder.integers([axisOf(input)])], { attributes: { keepdims: 1 } });
  return [builder.apply("Sub", [dy, mul(builder, builder.apply("Exp", [y]), sum)])];
};

/** Gradients of operators that work element by element; sources: the functions' derivatives. */
export const elementwiseRules: Readonly<Record<string, GradientRule>> = {
  Identity: unary(({ dy }) => dy),
  Add: binary(
    (_, dy) => dy,
    (_, dy) => dy,
  ),
  Sub: binary(
    (_, dy) => dy,
    ({ builder }, dy) => neg(builder, dy),
  ),
  Mul: binary(
    (input, dy) => mul(input.builder, dy, inputOf(input, 1)),
    (input, dy) => mul(input.builder, dy, inputOf(input, 0)),
  ),
  Div: divide,
  Pow: pow,
  Max: extremum("GreaterOrEqual"),
  Min: extremum("LessOrEqual"),
  Neg: unary(({ builder, dy }) => neg(builder, dy)),
  Abs: unary(({ builder, x, dy }) => mul(builder, dy, builder.apply("Sign", [x]))),
  Exp: unary(({ builder, y, dy }) => mul(builder, dy, y)),
  Log: unary(({ builder, x, dy }) => builder.apply("Div", [dy, x])),
  Sqrt: unary(({ builder, y, dy }) => builder.apply("Div", [mul(builder, dy, builder.scalarLike(y, 0.5)), y])),
  Reciprocal: unary(({ builder, y, dy }) => neg(builder, mul(builder, dy, mul(builder, y, y)))),
  Erf: erf,
  Relu: relu,
  Sigmoid: unary(({ builder, y, dy }) => mul(builder, dy, mul(builder, y, oneMinus(builder, y)))),
  Tanh: unary(({ builder, y, dy }) => mul(builder, dy, oneMinus(builder, mul(builder, y, y)))),
  Elu: elu,
  LeakyRelu: leakyRelu,
  Softplus: unary(({ builder, x, dy }) => mul(builder, dy, builder.apply("Sigmoid", [x]))),
  Softmax: (input) => [softmaxGradient(input, [axisOf(input)])],
  LogSoftmax: logSoftmax,
  Clip: clip,
  Where: where,
  Cast: (input) => [input.builder.cast(firstOf(input).dy, inputOf(input, 0).dtype)],
};
