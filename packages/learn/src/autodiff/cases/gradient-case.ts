import type { Attributes, Value } from "../../onnx/graph.ts";
import type { GradientCase } from "../central-differences.ts";

/** Gradient cases by name; the operator a case is about is the part of its name before a space. */
export type GradientCases = Readonly<Record<string, GradientCase>>;

/** Applies one operator to all inputs. */
export const op =
  (operator: string, attributes: Attributes = {}): GradientCase["build"] =>
  (builder, inputs) =>
    builder.apply(operator, inputs, { attributes });

/** Applies an operator that takes its axes as a second input. */
export const withAxes =
  (operator: string, axes: readonly number[], attributes: Attributes = {}): GradientCase["build"] =>
  (builder, [x]) =>
    builder.apply(operator, [x, builder.integers(axes)], { attributes });

/** The first input. */
export const first = (inputs: readonly Value[]): Value => {
  const [x] = inputs;
  if (x === undefined) throw new RangeError("The case has no input.");
  return x;
};

/** Range of inputs of functions that are defined for positive numbers. */
export const positive = [0.5, 2] as const;

/** ONNX Runtime convolves and pools in single precision only. */
export const image = { dtype: "float32", step: 0.05 } as const;

/** Functions without kernels in double precision. */
export const single = { dtype: "float32" } as const;
