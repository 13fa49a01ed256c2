import { z } from "zod";
import { LearnError } from "../errors.ts";

/** Names of the losses, as in Keras. */
const lossNames = [
  "mean_squared_error",
  "mean_absolute_error",
  "huber",
  "binary_crossentropy",
  "categorical_crossentropy",
  "sparse_categorical_crossentropy",
] as const;

/** A loss with its arguments, as data. */
export type LossConfig =
  | { readonly name: "mean_squared_error" | "mean_absolute_error" }
  | {
      readonly name: "huber";
      /** Where the loss turns from squared to linear; 1 by default. */
      readonly delta?: number | undefined;
    }
  | {
      readonly name: "binary_crossentropy" | "categorical_crossentropy";
      /** Whether the model gives logits instead of probabilities; false by default. */
      readonly fromLogits?: boolean | undefined;
      /** Share of each label that is spread over all classes; 0 by default. */
      readonly labelSmoothing?: number | undefined;
    }
  | {
      readonly name: "sparse_categorical_crossentropy";
      /** Whether the model gives logits instead of probabilities; false by default. */
      readonly fromLogits?: boolean | undefined;
    };

/** A loss by name, by Keras' short name, or with its arguments. */
export type Loss = LossConfig | LossConfig["name"] | "mse" | "mae";

const lossSchema: z.ZodType<LossConfig> = z.discriminatedUnion("name", [
  z.strictObject({ name: z.enum(["mean_squared_error", "mean_absolute_error"]) }),
  z.strictObject({ name: z.literal("huber"), delta: z.number().positive().optional() }),
  z.strictObject({
    name: z.enum(["binary_crossentropy", "categorical_crossentropy"]),
    fromLogits: z.boolean().optional(),
    labelSmoothing: z.number().min(0).max(1).optional(),
  }),
  z.strictObject({ name: z.literal("sparse_categorical_crossentropy"), fromLogits: z.boolean().optional() }),
]);

const shortNames: Readonly<Record<string, string>> = { mse: "mean_squared_error", mae: "mean_absolute_error" };

/**
 * Parses a loss given by name or as data.
 * @throws LearnError `loss-invalid`.
 */
export const parseLoss = (input: unknown): LossConfig => {
  const parsed = lossSchema.safeParse(typeof input === "string" ? { name: shortNames[input] ?? input } : input);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new LearnError(
    "loss-invalid",
    `The loss ${JSON.stringify(input)} is not valid${issue ? ` at "${issue.path.join(".")}": ${issue.message}` : ""}. Known losses: ${lossNames.join(", ")}.`,
  );
};
