import { z } from "zod";
import type { SampleShape } from "./layer.ts";

/** Names of the activations, as in Keras. */
export const activationNames = [
  "linear",
  "relu",
  "relu6",
  "leaky_relu",
  "elu",
  "selu",
  "celu",
  "gelu",
  "silu",
  "swish",
  "mish",
  "sigmoid",
  "hard_sigmoid",
  "hard_silu",
  "hard_swish",
  "log_sigmoid",
  "sparse_sigmoid",
  "tanh",
  "hard_tanh",
  "tanh_shrink",
  "soft_shrink",
  "hard_shrink",
  "threshold",
  "softplus",
  "sparse_plus",
  "squareplus",
  "softsign",
  "exponential",
  "glu",
  "softmax",
  "log_softmax",
  "sparsemax",
] as const;

/** Name of an activation. */
export type ActivationName = (typeof activationNames)[number];

/** Arguments of activations; what is left out has Keras' default. */
export interface ActivationArguments {
  /** Slope below zero, or α of the exponential ones; 1 by default. Of elu, celu. */
  readonly alpha?: number | undefined;
  /** Of gelu: the approximation by tanh; false by default. */
  readonly approximate?: boolean | undefined;
  /** Of leaky_relu (0.2 by default) and relu (0). */
  readonly negativeSlope?: number | undefined;
  /** Of relu: larger values become it; none by default. */
  readonly maxValue?: number | undefined;
  /** Of relu (0 by default), the shrinking ones (0.5) and threshold (required). */
  readonly threshold?: number | undefined;
  /** Of threshold: what values at or below it become; required. */
  readonly defaultValue?: number | undefined;
  /** Of squareplus: 4 by default. */
  readonly b?: number | undefined;
  /** Of softmax, log_softmax, sparsemax and glu; −1 by default; 0 is the batch. */
  readonly axis?: number | undefined;
}

type Configured<Name extends ActivationName, Key extends keyof ActivationArguments> = {
  readonly name: Name;
} & Pick<ActivationArguments, Key>;

/** An activation by name, with Keras' defaults, or with its arguments. */
export type Activation =
  | Exclude<ActivationName, "threshold">
  | Configured<"relu", "maxValue" | "negativeSlope" | "threshold">
  | Configured<"leaky_relu", "negativeSlope">
  | Configured<"elu" | "celu", "alpha">
  | Configured<"gelu", "approximate">
  | Configured<"soft_shrink" | "hard_shrink", "threshold">
  | { readonly name: "threshold"; readonly threshold: number; readonly defaultValue: number }
  | Configured<"squareplus", "b">
  | Configured<"softmax" | "log_softmax" | "sparsemax" | "glu", "axis">;

const optionalNumber = z.number().optional();
const positive = z.number().positive().optional();

/** Accepts {@link Activation}. */
export const activationSchema: z.ZodType<Activation> = z.union([
  z.enum(activationNames).exclude(["threshold"]),
  z.discriminatedUnion("name", [
    z.strictObject({
      name: z.literal("relu"),
      maxValue: z.number().min(0).optional(),
      negativeSlope: z.number().min(0).optional(),
      threshold: optionalNumber,
    }),
    z.strictObject({ name: z.literal("leaky_relu"), negativeSlope: z.number().min(0).optional() }),
    z.strictObject({ name: z.enum(["elu", "celu"]), alpha: positive }),
    z.strictObject({ name: z.literal("gelu"), approximate: z.boolean().optional() }),
    z.strictObject({ name: z.enum(["soft_shrink", "hard_shrink"]), threshold: z.number().min(0).optional() }),
    z.strictObject({ name: z.literal("threshold"), threshold: z.number(), defaultValue: z.number() }),
    z.strictObject({ name: z.literal("squareplus"), b: z.number().min(0).optional() }),
    z.strictObject({
      name: z.enum(["softmax", "log_softmax", "sparsemax", "glu"]),
      axis: z.int().optional(),
    }),
  ]),
]);

/** Name and arguments of an activation. */
export const activationOptions = (
  activation: Activation,
): { readonly name: ActivationName } & Readonly<ActivationArguments> =>
  typeof activation === "string" ? { name: activation } : activation;

const alongAxis: ReadonlySet<ActivationName> = new Set(["softmax", "log_softmax", "sparsemax", "glu"]);

/** Whether an activation looks at each element alone, so that it may run in any layout. */
export const isElementwise = (activation: Activation): boolean => !alongAxis.has(activationOptions(activation).name);

/** Shape of a sample after an activation: `glu` halves its axis, every other keeps the shape. */
export const activatedShape = (activation: Activation, shape: SampleShape): SampleShape => {
  const { name, axis = -1 } = activationOptions(activation);
  if (name !== "glu") return shape;
  const along = axis < 0 ? axis + shape.length : axis - 1;
  return shape.with(along, (shape[along] ?? 0) / 2);
};
