import { z } from "zod";
import { LearnError } from "../errors.ts";

/** Names of the losses. */
export const lossNames = [
  "mean_squared_error",
  "mean_absolute_error",
  "huber",
  "binary_crossentropy",
  "categorical_crossentropy",
  "sparse_categorical_crossentropy",
] as const;

/** A loss with its arguments, as data; names and defaults are those of Keras 3. */
export interface LossConfig {
  readonly name: (typeof lossNames)[number];
  /** Cross-entropies: the model's output is logits, not probabilities. */
  readonly fromLogits?: boolean | undefined;
  /** Binary and categorical cross-entropy: share s of the label spread evenly, y·(1 − s) + s/K. */
  readonly labelSmoothing?: number | undefined;
  /** Huber: where the square turns into a line; default 1. */
  readonly delta?: number | undefined;
}

const short: Readonly<Record<string, LossConfig["name"]>> = {
  mse: "mean_squared_error",
  mae: "mean_absolute_error",
};

const schema = z.strictObject({
  name: z.enum(lossNames),
  fromLogits: z.boolean().optional(),
  labelSmoothing: z.number().min(0).max(1).optional(),
  delta: z.number().positive().optional(),
});

/**
 * Parses a loss given by name or as data.
 * @throws LearnError `loss-invalid` naming what exists.
 */
export const parseLoss = (input: unknown): LossConfig => {
  const named: unknown = typeof input === "string" ? { name: short[input] ?? input } : input;
  const parsed = schema.safeParse(named);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new LearnError(
    "loss-invalid",
    `The loss ${JSON.stringify(input)} is not valid (${issue?.path.join(".") || "form"}: ${issue?.message ?? ""}). Known losses: ${lossNames.join(", ")}.`,
  );
};
