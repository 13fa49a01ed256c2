import { z } from "zod";
import type { GraphBuilder } from "../onnx/builder.ts";
import type { Value } from "../onnx/graph.ts";

/** Names of the activations. */
export const activationNames = [
  "linear",
  "relu",
  "sigmoid",
  "tanh",
  "softmax",
  "elu",
  "gelu",
  "leaky_relu",
  "softplus",
  "swish",
  "silu",
] as const;

/** An activation by name, with Keras' defaults, or with its argument. */
export type Activation =
  | (typeof activationNames)[number]
  | { readonly name: "elu"; readonly alpha?: number | undefined }
  | { readonly name: "gelu"; readonly approximate?: boolean | undefined }
  | { readonly name: "leaky_relu"; readonly negativeSlope?: number | undefined };

/** Accepts {@link Activation}. */
export const activationSchema: z.ZodType<Activation> = z.union([
  z.enum(activationNames),
  z.discriminatedUnion("name", [
    z.strictObject({ name: z.literal("elu"), alpha: z.number().optional() }),
    z.strictObject({ name: z.literal("gelu"), approximate: z.boolean().optional() }),
    z.strictObject({ name: z.literal("leaky_relu"), negativeSlope: z.number().min(0).optional() }),
  ]),
]);

const gelu = (builder: GraphBuilder, x: Value, approximate: boolean): Value => {
  const number = (value: number): Value => builder.scalarLike(x, value);
  const half = builder.apply("Mul", [x, number(0.5)]);
  if (!approximate) {
    const erf = builder.apply("Erf", [builder.apply("Mul", [x, number(Math.SQRT1_2)])]);
    return builder.apply("Mul", [half, builder.apply("Add", [erf, number(1)])]);
  }
  const cube = builder.apply("Mul", [builder.apply("Mul", [x, x]), x]);
  const inner = builder.apply("Add", [x, builder.apply("Mul", [cube, number(0.044715)])]);
  const tanh = builder.apply("Tanh", [builder.apply("Mul", [inner, number(Math.sqrt(2 / Math.PI))])]);
  return builder.apply("Mul", [half, builder.apply("Add", [tanh, number(1)])]);
};

/**
 * Applies an activation; softmax runs over the last axis, so its input must lie in the public layout.
 * Source of the definitions: keras/src/activations/activations.py.
 */
export const emitActivation = (builder: GraphBuilder, x: Value, activation: Activation): Value => {
  const options = typeof activation === "string" ? { name: activation } : activation;
  switch (options.name) {
    case "linear":
      return x;
    case "relu":
      return builder.apply("Relu", [x]);
    case "sigmoid":
      return builder.apply("Sigmoid", [x]);
    case "tanh":
      return builder.apply("Tanh", [x]);
    case "softmax":
      return builder.apply("Softmax", [x], { attributes: { axis: -1 } });
    case "elu":
      return builder.apply("Elu", [x], {
        attributes: { alpha: { float: "alpha" in options ? (options.alpha ?? 1) : 1 } },
      });
    case "gelu":
      return gelu(builder, x, "approximate" in options && options.approximate === true);
    case "leaky_relu": {
      const slope = "negativeSlope" in options ? (options.negativeSlope ?? 0.2) : 0.2;
      return builder.apply("LeakyRelu", [x], { attributes: { alpha: { float: slope } } });
    }
    case "softplus":
      return builder.apply("Softplus", [x]);
    case "swish":
    case "silu":
      return builder.apply("Mul", [x, builder.apply("Sigmoid", [x])]);
  }
};

/** Whether an activation looks at each element alone, so that it may run in any layout. */
export const isElementwise = (activation: Activation): boolean => activation !== "softmax";
