import type { z } from "zod";
import { type Constraint, constraintSchema } from "../constraints/index.ts";
import { LearnError } from "../errors.ts";
import { type Regularizer, regularizerSchema } from "../regularizers/index.ts";
import type { LayerPlace, WeightSpec } from "./layer.ts";

/** How Keras' arguments call a layer's weights: `kernelRegularizer` is about the weight `kernel`. */
const weightOf: Readonly<Record<string, string>> = {
  kernel: "kernel",
  bias: "bias",
  recurrent: "recurrent_kernel",
  depthwise: "depthwise_kernel",
  pointwise: "pointwise_kernel",
  embeddings: "embeddings",
  gamma: "gamma",
  beta: "beta",
  alpha: "alpha",
};

const pattern = new RegExp(`^(${Object.keys(weightOf).join("|")})(Regularizer|Constraint)$`);

/** What is asked of a layer's weights beside their shape and initial values. */
export interface WeightArguments {
  readonly regularizers: ReadonlyMap<string, Regularizer>;
  readonly constraints: ReadonlyMap<string, Constraint>;
}

const parsed = <Type>(schema: z.ZodType<Type>, value: unknown, what: { key: string; place: LayerPlace }): Type => {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new LearnError(
    "layer-invalid",
    `${what.place.layer} "${what.place.name}" has an argument that is not valid: "${what.key}": ${result.error.issues[0]?.message ?? "it has the wrong form"}. Got ${JSON.stringify(value)}.`,
  );
};

/**
 * Takes the arguments `…Regularizer` and `…Constraint` out of a layer's arguments, where every kind of layer has them
 * for its weights, so that a kind's own schema need not list them.
 * @throws LearnError `layer-invalid` naming layer and argument.
 */
export const splitWeightArguments = (
  given: Readonly<Record<string, unknown>>,
  place: LayerPlace,
): { readonly weights: WeightArguments; readonly rest: Readonly<Record<string, unknown>> } => {
  const regularizers = new Map<string, Regularizer>();
  const constraints = new Map<string, Constraint>();
  const rest: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(given)) {
    const [, prefix = "", about] = pattern.exec(key) ?? [];
    const weight = weightOf[prefix] ?? "";
    if (about === undefined) rest[key] = value;
    else if (value === undefined || value === null) continue;
    else if (about === "Regularizer") regularizers.set(weight, parsed(regularizerSchema, value, { key, place }));
    else constraints.set(weight, parsed(constraintSchema, value, { key, place }));
  }
  return { weights: { regularizers, constraints }, rest };
};

/**
 * Gives weights their regularizers and constraints; of a nested weight `forward/kernel` the last part counts.
 * @throws LearnError `layer-invalid` when the layer has no such weight.
 */
export const withWeightArguments = (
  weights: readonly WeightSpec[],
  { regularizers, constraints }: WeightArguments,
  place: LayerPlace,
): readonly WeightSpec[] => {
  if (regularizers.size === 0 && constraints.size === 0) return weights;
  const lastPart = ({ name }: WeightSpec): string => name.split("/").at(-1) ?? name;
  const known = new Set(weights.map(lastPart));
  // A bias may be switched off while its arguments stay.
  const missing = [...regularizers.keys(), ...constraints.keys()].find((name) => name !== "bias" && !known.has(name));
  if (missing !== undefined) {
    throw new LearnError(
      "layer-invalid",
      `${place.layer} "${place.name}" has no weight "${missing}" to regularize or constrain. Its weights: ${[...known].join(", ") || "none"}.`,
    );
  }
  return weights.map((weight) => {
    const [regularizer, constraint] = [regularizers.get(lastPart(weight)), constraints.get(lastPart(weight))];
    return {
      ...weight,
      ...(regularizer === undefined ? {} : { regularizer }),
      ...(constraint === undefined ? {} : { constraint }),
    };
  });
};
