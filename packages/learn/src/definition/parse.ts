import { z } from "zod";
import { LearnError } from "../errors.ts";
import { lengthSchema } from "../layers/arguments.ts";
import { regularizerSchema } from "../regularizers/index.ts";
import type { ModelDefinition } from "./definition.ts";

const nameSchema = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$/, "a name has 1 to 63 letters, digits, _ . -");
const specSchema = z.looseObject({
  layer: z.string(),
  name: nameSchema.optional(),
  trainable: z.boolean().optional(),
  shares: z.string().optional(),
  activityRegularizer: regularizerSchema.optional(),
});
const definitionSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("sequential"),
    name: nameSchema.optional(),
    layers: z.array(specSchema).min(1).max(1000),
  }),
  z.strictObject({
    kind: z.literal("functional"),
    name: nameSchema.optional(),
    layers: z
      .array(specSchema.extend({ name: nameSchema, inputs: z.array(z.string()).optional() }))
      .min(1)
      .max(1000),
    inputs: z.array(z.string()).min(1),
    outputs: z.array(z.string()).min(1),
  }),
]);

/** Accepts the arguments of an Input. */
export const inputSchema: z.ZodType<{ readonly shape: readonly number[] }> = z.strictObject({
  shape: z.array(lengthSchema).min(1).max(7),
});

/** The first thing that a schema found wrong, with its place. */
export const issueText = (error: z.ZodError): string => {
  const [issue] = error.issues;
  const where = issue?.path.join(".") ?? "";
  return `${where === "" ? "" : `"${where}": `}${issue?.message ?? "it has the wrong form"}`;
};

/**
 * Parses a definition that came from outside.
 * @throws LearnError `definition-invalid` saying where.
 */
export const parseDefinition = (value: unknown): ModelDefinition => {
  const parsed = definitionSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new LearnError(
    "definition-invalid",
    `The model definition is not valid at ${issueText(parsed.error)}. Expected {kind: "sequential", layers: [{layer: "Input", shape: […]}, …]} or {kind: "functional", layers, inputs, outputs}.`,
  );
};

/** A layer's result as others name it: `lstm` is its result, `lstm:1` the first that it gives beside it. */
export const parseReference = (reference: string): { readonly layer: string; readonly further: number } => {
  const [layer = "", further] = reference.split(":");
  return { layer, further: further === undefined ? 0 : Number(further) };
};
