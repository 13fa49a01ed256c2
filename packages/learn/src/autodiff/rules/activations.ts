import { floatAttribute, textAttribute } from "../../onnx/attributes.ts";
import type { GraphBuilder } from "../../onnx/builder.ts";
import type { Value } from "../../onnx/graph.ts";
import { firstOf, type GradientRule, inputOf, unary, type Unary, unbroadcast } from "../rule.ts";

const mul = (b: GraphBuilder, x: Value, y: Value): Value => b.apply("Mul", [x, y]);
const add = (b: GraphBuilder, x: Value, y: Value): Value => b.apply("Add", [x, y]);
const oneMinus = (b: GraphBuilder, x: Value): Value => b.apply("Sub", [b.scalarLike(x, 1), x]);

const attribute = ({ input }: Unary, name: string, otherwise: number): number =>
  floatAttribute(input.node.attributes, name, otherwise);

/** Chooses by the sign of x: the upstream gradient as it is, or a value for x ≤ 0. */
const belowZero = ({ builder, x, dy }: Unary, negative: Value): Value =>
  builder.apply("Where", [builder.apply("Greater", [x, builder.scalarLike(x, 0)]), dy, negative]);

/** Passes the gradient where the value was inside two limits. */
const inside = ({ builder, x, dy }: Unary, [low, high]: readonly [number, number]): Value => {
  const above = builder.cast(builder.apply("Greater", [x, builder.scalarLike(x, low)]), dy.dtype);
  const below = builder.cast(builder.apply("Less", [x, builder.scalarLike(x, high)]), dy.dtype);
  return mul(builder, dy, mul(builder, above, below));
};

/** ReLU's result is never negative: whether it is not zero is its slope, in half the time that Sign takes. */
const relu = unary(({ builder, y, dy }) => mul(builder, dy, builder.cast(builder.cast(y, "bool"), dy.dtype)));

const elu = unary((unary) => {
  const { builder, x, y, dy } = unary;
  return belowZero(unary, mul(builder, dy, add(builder, y, builder.scalarLike(x, attribute(unary, "alpha", 1)))));
});

const celu = unary((unary) => {
  const { builder, x, y, dy } = unary;
  const alpha = attribute(unary, "alpha", 1);
  const slope = add(builder, mul(builder, y, builder.scalarLike(x, 1 / alpha)), builder.scalarLike(x, 1));
  return belowZero(unary, mul(builder, dy, slope));
});

const selu = unary((unary) => {
  const { builder, x, y, dy } = unary;
  const alpha = attribute(unary, "alpha", 1.673_263_192_176_818_8);
  const gamma = attribute(unary, "gamma", 1.050_701_022_148_132_3);
  const factor = builder.scalarLike(x, gamma);
  const above = builder.apply("Greater", [x, builder.scalarLike(x, 0)]);
  const slope = builder.apply("Where", [above, factor, add(builder, y, builder.scalarLike(x, alpha * gamma))]);
  return mul(builder, dy, slope);
});

const leakyRelu = unary((unary) => {
  const { builder, x, dy } = unary;
  return belowZero(unary, mul(builder, dy, builder.scalarLike(x, attribute(unary, "alpha", 0.01))));
});

const thresholdedRelu = unary((unary) => {
  const { builder, x, dy } = unary;
  const above = builder.apply("Greater", [x, builder.scalarLike(x, attribute(unary, "alpha", 1))]);
  return mul(builder, dy, builder.cast(above, dy.dtype));
});

/** The slope 1/(1 + |x|)², written with y = x/(1 + |x|): 1 − |y| = 1/(1 + |x|). */
const softsign = unary(({ builder, y, dy }) => {
  const rest = oneMinus(builder, builder.apply("Abs", [y]));
  return mul(builder, dy, mul(builder, rest, rest));
});

const hardSigmoid = unary((unary) => {
  const { builder, x, dy } = unary;
  const alpha = attribute(unary, "alpha", 0.2);
  const beta = attribute(unary, "beta", 0.5);
  return inside({ ...unary, dy: mul(builder, dy, builder.scalarLike(x, alpha)) }, [-beta / alpha, (1 - beta) / alpha]);
});

/** x · clip(x/6 + ½, 0, 1). */
const hardSwish = unary((unary) => {
  const { builder, x, dy } = unary;
  const number = (value: number): Value => builder.scalarLike(x, value);
  const line = add(builder, mul(builder, x, number(1 / 6)), number(0.5));
  const gate = builder.apply("Clip", [line, number(0), number(1)]);
  const ramp = inside({ ...unary, dy: mul(builder, dy, mul(builder, x, number(1 / 6))) }, [-3, 3]);
  return add(builder, mul(builder, dy, gate), ramp);
});

/** y = x · tanh(s), s = softplus(x): slope tanh(s) + x · (1 − tanh²(s)) · σ(x). */
const mish = unary(({ builder, x, dy }) => {
  const tanh = builder.apply("Tanh", [builder.apply("Softplus", [x])]);
  const ramp = mul(
    builder,
    mul(builder, x, builder.apply("Sigmoid", [x])),
    oneMinus(builder, mul(builder, tanh, tanh)),
  );
  return mul(builder, dy, add(builder, tanh, ramp));
});

const exactGeluSlope = ({ builder, x }: Unary): Value => {
  const number = (value: number): Value => builder.scalarLike(x, value);
  const erf = builder.apply("Erf", [mul(builder, x, number(Math.SQRT1_2))]);
  const half = mul(builder, add(builder, erf, number(1)), number(0.5));
  const bell = builder.apply("Exp", [mul(builder, mul(builder, x, x), number(-0.5))]);
  return add(builder, half, mul(builder, mul(builder, x, bell), number(1 / Math.sqrt(2 * Math.PI))));
};

const tanhGeluSlope = ({ builder, x }: Unary): Value => {
  const number = (value: number): Value => builder.scalarLike(x, value);
  const root = Math.sqrt(2 / Math.PI);
  const square = mul(builder, x, x);
  const inner = mul(builder, x, add(builder, mul(builder, square, number(0.044715 * root)), number(root)));
  const tanh = builder.apply("Tanh", [inner]);
  const slope = add(builder, mul(builder, square, number(3 * 0.044715 * root)), number(root));
  const ramp = mul(builder, mul(builder, x, slope), oneMinus(builder, mul(builder, tanh, tanh)));
  return mul(builder, add(builder, add(builder, tanh, number(1)), ramp), number(0.5));
};

const gelu = unary((unary) => {
  const approximate = textAttribute(unary.input.node.attributes, "approximate", "none") === "tanh";
  return mul(unary.builder, unary.dy, approximate ? tanhGeluSlope(unary) : exactGeluSlope(unary));
});

const shrink = unary((unary) => {
  const { builder, x, dy } = unary;
  const limit = builder.scalarLike(x, attribute(unary, "lambd", 0.5));
  return mul(builder, dy, builder.cast(builder.apply("Greater", [builder.apply("Abs", [x]), limit]), dy.dtype));
});

const prelu: GradientRule = (input) => {
  const { builder, wanted } = input;
  const { dy } = firstOf(input);
  const [x, slope] = [inputOf(input, 0), inputOf(input, 1)];
  const zero = builder.scalarLike(x, 0);
  const above = builder.apply("Greater", [x, zero]);
  return [
    wanted[0] ? builder.apply("Where", [above, dy, mul(builder, dy, slope)]) : undefined,
    wanted[1] ? unbroadcast(builder, builder.apply("Where", [above, zero, mul(builder, dy, x)]), slope) : undefined,
  ];
};

const erf = unary(({ builder, x, dy }) => {
  const density = builder.apply("Exp", [builder.apply("Neg", [mul(builder, x, x)])]);
  return mul(builder, dy, mul(builder, density, builder.scalarLike(x, 2 / Math.sqrt(Math.PI))));
});

/** Gradients of activations; sources: the functions' derivatives. */
export const activationRules: Readonly<Record<string, GradientRule>> = {
  Relu: relu,
  LeakyRelu: leakyRelu,
  ThresholdedRelu: thresholdedRelu,
  PRelu: prelu,
  Elu: elu,
  Celu: celu,
  Selu: selu,
  Sigmoid: unary(({ builder, y, dy }) => mul(builder, dy, mul(builder, y, oneMinus(builder, y)))),
  HardSigmoid: hardSigmoid,
  HardSwish: hardSwish,
  Tanh: unary(({ builder, y, dy }) => mul(builder, dy, oneMinus(builder, mul(builder, y, y)))),
  Erf: erf,
  Gelu: gelu,
  Mish: mish,
  Shrink: shrink,
  Softplus: unary(({ builder, x, dy }) => mul(builder, dy, builder.apply("Sigmoid", [x]))),
  Softsign: softsign,
};
