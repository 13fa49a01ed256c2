import type { GraphBuilder } from "../../onnx/builder.ts";
import type { Value } from "../../onnx/graph.ts";
import { firstOf, type GradientInput, type GradientRule, inputOf, unary, unbroadcast } from "../rule.ts";

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
const plusOne = (b: GraphBuilder, x: Value): Value => b.apply("Add", [x, b.scalarLike(x, 1)]);

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

/** Max and Min: the gradient goes to the first input that won, folded over the inputs from the left. */
const extremum =
  (operator: "Max" | "Min"): GradientRule =>
  (input) => {
    const { builder, wanted } = input;
    const { dy } = firstOf(input);
    const values = input.inputs.map((_, index) => inputOf(input, index));
    const leaders: Value[] = [];
    for (const value of values.slice(0, -1)) {
      const last = leaders.at(-1);
      leaders.push(last === undefined ? value : builder.apply(operator, [last, value]));
    }
    const gradients: (Value | undefined)[] = values.map(() => undefined);
    let rest = dy;
    for (let index = values.length - 1; index >= 1; index--) {
      const [leader, value] = [leaders[index - 1] as Value, values[index] as Value];
      const comparison = operator === "Max" ? "GreaterOrEqual" : "LessOrEqual";
      const kept = builder.cast(builder.apply(comparison, [leader, value]), dy.dtype);
      const toLeader = mul(builder, rest, kept);
      if (wanted[index]) {
        gradients[index] = unbroadcast(builder, builder.apply("Sub", [rest, toLeader]), value);
      }
      rest = toLeader;
    }
    const [first] = values;
    if (wanted[0] && first !== undefined) gradients[0] = unbroadcast(builder, rest, first);
    return gradients;
  };

/** Sum and Mean of any number of inputs. */
const total =
  (mean: boolean): GradientRule =>
  (input) => {
    const { builder } = input;
    const { dy } = firstOf(input);
    const share = mean ? mul(builder, dy, builder.scalarLike(dy, 1 / input.inputs.length)) : dy;
    return input.inputs.map((value, index) =>
      value !== undefined && input.wanted[index] ? unbroadcast(builder, share, value) : undefined,
    );
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
  Max: extremum("Max"),
  Min: extremum("Min"),
  Neg: unary(({ builder, dy }) => neg(builder, dy)),
  Abs: unary(({ builder, x, dy }) => mul(builder, dy, builder.apply("Sign", [x]))),
  Exp: unary(({ builder, y, dy }) => mul(builder, dy, y)),
  Log: unary(({ builder, x, dy }) => builder.apply("Div", [dy, x])),
  Sqrt: unary(({ builder, y, dy }) => builder.apply("Div", [mul(builder, dy, builder.scalarLike(y, 0.5)), y])),
  Reciprocal: unary(({ builder, y, dy }) => neg(builder, mul(builder, dy, mul(builder, y, y)))),
  Sin: unary(({ builder, x, dy }) => mul(builder, dy, builder.apply("Cos", [x]))),
  Cos: unary(({ builder, x, dy }) => neg(builder, mul(builder, dy, builder.apply("Sin", [x])))),
  Tan: unary(({ builder, y, dy }) => mul(builder, dy, plusOne(builder, mul(builder, y, y)))),
  Atan: unary(({ builder, x, dy }) => builder.apply("Div", [dy, plusOne(builder, mul(builder, x, x))])),
  Sinh: unary(({ builder, x, dy }) => mul(builder, dy, builder.apply("Cosh", [x]))),
  Cosh: unary(({ builder, x, dy }) => mul(builder, dy, builder.apply("Sinh", [x]))),
  Sum: total(false),
  Mean: total(true),
  Dropout: (input) => [firstOf(input).dy],
  Softmax: (input) => [softmaxGradient(input, [axisOf(input)])],
  LogSoftmax: logSoftmax,
  Clip: clip,
  Where: where,
  Cast: (input) => [input.builder.cast(firstOf(input).dy, inputOf(input, 0).dtype)],
};
