import { broadcastShapes, normaliseAxis } from "../shape.ts";
import { integerAttribute } from "../attributes.ts";
import { inputAt } from "./rule.ts";
import type { InferenceRule } from "./rule.ts";
import type { DataType, Dimension } from "../tensor.ts";
import { LearnError } from "../../errors.ts";

const same: InferenceRule = (node) => [inputAt(node, 0)];

const broadcast =
  (dtype?: DataType): InferenceRule =>
  (node) => {
    const types = node.inputs.map((_, index) => inputAt(node, index));
    const first = inputAt(node, 0);
    const other = types.find((type) => type.dtype !== first.dtype);
    if (other !== undefined) {
      throw new LearnError(
        "onnx-invalid",
        `${node.operator} mixes ${first.dtype} with ${other.dtype}; cast one of them.`,
      );
    }
    const shape = types.reduce<readonly Dimension[]>((sum, type) => broadcastShapes(sum, type.shape), []);
    return [{ dtype: dtype ?? first.dtype, shape }];
  };

const where: InferenceRule = (node) => {
  const [condition, yes, no] = [inputAt(node, 0), inputAt(node, 1), inputAt(node, 2)];
  return [{ dtype: yes.dtype, shape: broadcastShapes(condition.shape, broadcastShapes(yes.shape, no.shape)) }];
};

const dataTypeOfCode: Readonly<Record<number, DataType>> = {
  1: "float32",
  2: "uint8",
  3: "int8",
  6: "int32",
  7: "int64",
  9: "bool",
  11: "float64",
};

const cast: InferenceRule = (node) => {
  const code = integerAttribute(node.attributes, "to", 0);
  const dtype = dataTypeOfCode[code];
  if (dtype === undefined) throw new LearnError("onnx-invalid", `Cast to ONNX type ${code} is not supported.`);
  return [{ dtype, shape: inputAt(node, 0).shape }];
};

const oneHot: InferenceRule = (node) => {
  const indices = inputAt(node, 0);
  const depth = node.constants[1];
  const axis = normaliseAxis(integerAttribute(node.attributes, "axis", -1), indices.shape.length + 1);
  const length = depth === undefined ? "depth" : Number(depth.values[0]);
  return [{ dtype: inputAt(node, 2).dtype, shape: indices.shape.toSpliced(axis, 0, length) }];
};

/** Operators whose result has the shape of their inputs, broadcast. */
export const elementwiseInference: Readonly<Record<string, InferenceRule>> = {
  ...Object.fromEntries(
    [
      ...["Abs", "Neg", "Sign", "Exp", "Log", "Sqrt", "Reciprocal", "Erf", "Floor", "Ceil", "Round", "Not"],
      ...["Relu", "Sigmoid", "Tanh", "Elu", "LeakyRelu", "Softplus", "Softsign", "HardSigmoid", "Selu", "Gelu"],
      ...["Softmax", "LogSoftmax", "Clip", "Identity", "ThresholdedRelu", "HardSwish", "Mish", "Celu", "Shrink"],
      ...["Sin", "Cos", "Tan", "Asin", "Acos", "Atan", "Sinh", "Cosh", "Asinh", "Acosh", "Atanh", "Hardmax"],
      ...["CumSum", "Trilu", "LpNormalization", "LRN", "MeanVarianceNormalization"],
    ].map((operator) => [operator, same]),
  ),
  ...Object.fromEntries(
    ["Add", "Sub", "Mul", "Div", "Max", "Min", "And", "Or", "Xor", "Sum", "Mean", "Mod"].map((name) => [
      name,
      broadcast(),
    ]),
  ),
  ...Object.fromEntries(
    ["Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"].map((name) => [name, broadcast("bool")]),
  ),
  Pow: (node) => [
    { dtype: inputAt(node, 0).dtype, shape: broadcastShapes(inputAt(node, 0).shape, inputAt(node, 1).shape) },
  ],
  PRelu: (node) => [inputAt(node, 0)],
  IsNaN: (node) => [{ dtype: "bool", shape: inputAt(node, 0).shape }],
  IsInf: (node) => [{ dtype: "bool", shape: inputAt(node, 0).shape }],
  Dropout: (node) => [inputAt(node, 0), { dtype: "bool", shape: inputAt(node, 0).shape }],
  Where: where,
  Cast: cast,
  OneHot: oneHot,
};
