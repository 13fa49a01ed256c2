import { z } from "zod";
import { elementCount } from "../onnx/tensor.ts";

/** Axes of the public Keras layout that a norm is taken over. */
type Axes = number | readonly number[];

/** A constraint with its arguments, as in Keras. */
export type ConstraintConfig =
  /** Sets negative elements to 0. */
  | { readonly name: "non_neg" }
  /** Scales down what has a norm above `maxValue` (2 by default) along `axis` (0 by default). */
  | { readonly name: "max_norm"; readonly maxValue?: number | undefined; readonly axis?: Axes | undefined }
  /** Scales to a norm of 1 along `axis` (0 by default). */
  | { readonly name: "unit_norm"; readonly axis?: Axes | undefined }
  /** Pulls norms along `axis` between `minValue` (0) and `maxValue` (1), by the share `rate` (1) a step. */
  | {
      readonly name: "min_max_norm";
      readonly minValue?: number | undefined;
      readonly maxValue?: number | undefined;
      readonly rate?: number | undefined;
      readonly axis?: Axes | undefined;
    };

/** A constraint by name with Keras' defaults, or with its arguments. */
export type Constraint = ConstraintConfig["name"] | ConstraintConfig;

const axis = z.union([z.int(), z.array(z.int()).min(1)]).optional();
const bound = z.number().min(0).optional();

/** Accepts {@link Constraint}. */
export const constraintSchema: z.ZodType<Constraint> = z.union([
  z.enum(["non_neg", "max_norm", "unit_norm", "min_max_norm"]),
  z.discriminatedUnion("name", [
    z.strictObject({ name: z.literal("non_neg") }),
    z.strictObject({ name: z.literal("max_norm"), maxValue: bound, axis }),
    z.strictObject({ name: z.literal("unit_norm"), axis }),
    z.strictObject({
      name: z.literal("min_max_norm"),
      minValue: bound,
      maxValue: bound,
      rate: z.number().min(0).max(1).optional(),
      axis,
    }),
  ]),
]);

/** Keeps a norm of zero from dividing (Keras' backend epsilon). */
const fuzz = 1e-7;

/** The group of each element: those that share a group are taken into one norm. */
const groupsOf = (shape: readonly number[], axes: Axes): Uint32Array => {
  const over = new Set((typeof axes === "number" ? [axes] : axes).map((one) => (one < 0 ? one + shape.length : one)));
  const groups = new Uint32Array(elementCount(shape));
  let [groupStep, elementStep] = [1, 1];
  for (let at = shape.length - 1; at >= 0; at--) {
    const length = shape[at] ?? 1;
    if (!over.has(at)) {
      for (let i = 0; i < groups.length; i++) {
        groups[i] = (groups[i] as number) + (Math.floor(i / elementStep) % length) * groupStep;
      }
      groupStep *= length;
    }
    elementStep *= length;
  }
  return groups;
};

const rescaleNorms = (values: Float32Array, groups: Uint32Array, wanted: (norm: number) => number): void => {
  const squares = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const group = groups[i] as number;
    squares[group] = (squares[group] as number) + (values[i] as number) ** 2;
  }
  for (let i = 0; i < values.length; i++) {
    const norm = Math.sqrt(squares[groups[i] as number] as number);
    values[i] = ((values[i] as number) * wanted(norm)) / (fuzz + norm);
  }
};

const clamp = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high);

/**
 * Holds a weight to its constraint, in place; done after each update.
 * @param values Row-major values of `shape`, in the public Keras layout.
 * Source: keras/src/constraints/constraints.py.
 */
export const constrain = (values: Float32Array, shape: readonly number[], constraint: Constraint): void => {
  const config: ConstraintConfig = typeof constraint === "string" ? { name: constraint } : constraint;
  switch (config.name) {
    case "non_neg":
      for (let i = 0; i < values.length; i++) values[i] = Math.max(values[i] as number, 0);
      return;
    case "max_norm": {
      const { maxValue = 2 } = config;
      rescaleNorms(values, groupsOf(shape, config.axis ?? 0), (norm) => Math.min(norm, maxValue));
      return;
    }
    case "unit_norm":
      rescaleNorms(values, groupsOf(shape, config.axis ?? 0), () => 1);
      return;
    case "min_max_norm": {
      const { minValue = 0, maxValue = 1, rate = 1 } = config;
      rescaleNorms(
        values,
        groupsOf(shape, config.axis ?? 0),
        (norm) => rate * clamp(norm, minValue, maxValue) + (1 - rate) * norm,
      );
    }
  }
};
