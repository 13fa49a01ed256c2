import { z } from "zod";
import { LearnError } from "../errors.ts";
import type { Schedule } from "./schedules.ts";

const positive = z.number().positive();
const decaying = { initialLearningRate: positive, decaySteps: positive };

const ScheduleSchema = z.discriminatedUnion("schedule", [
  z.strictObject({
    schedule: z.literal("exponential_decay"),
    ...decaying,
    decayRate: positive,
    staircase: z.boolean().optional(),
  }),
  z.strictObject({
    schedule: z.literal("cosine_decay"),
    initialLearningRate: z.number().min(0),
    decaySteps: positive,
    alpha: z.number().min(0).optional(),
    warmupTarget: positive.optional(),
    warmupSteps: z.int().min(0).optional(),
  }),
  z.strictObject({
    schedule: z.literal("cosine_decay_restarts"),
    initialLearningRate: positive,
    firstDecaySteps: positive,
    tMul: positive.optional(),
    mMul: positive.optional(),
    alpha: z.number().min(0).optional(),
  }),
  z.strictObject({
    schedule: z.literal("piecewise_constant"),
    boundaries: z.array(z.number()),
    values: z.array(positive).min(1),
  }),
  z.strictObject({
    schedule: z.literal("polynomial_decay"),
    ...decaying,
    endLearningRate: z.number().min(0).optional(),
    power: positive.optional(),
    cycle: z.boolean().optional(),
  }),
  z.strictObject({
    schedule: z.literal("inverse_time_decay"),
    ...decaying,
    decayRate: positive,
    staircase: z.boolean().optional(),
  }),
]);

const share = z.number().min(0).lt(1);
const base = {
  learningRate: z.union([z.number().min(0), ScheduleSchema]).optional(),
  /** Share of each weight taken off a step, times the learning rate. */
  weightDecay: z.number().min(0).optional(),
  /** Largest norm of one weight's gradient. */
  clipnorm: positive.optional(),
  /** Largest absolute value of a gradient's element. */
  clipvalue: positive.optional(),
  /** Largest norm of all gradients together. */
  globalClipnorm: positive.optional(),
};
const adam = {
  ...base,
  beta1: share.optional(),
  beta2: share.optional(),
  epsilon: positive.optional(),
  amsgrad: z.boolean().optional(),
};

const OptimizerSchema = z.discriminatedUnion("name", [
  z.strictObject({
    name: z.literal("sgd"),
    ...base,
    momentum: share.optional(),
    nesterov: z.boolean().optional(),
  }),
  z.strictObject({
    name: z.literal("rmsprop"),
    ...base,
    rho: share.optional(),
    momentum: share.optional(),
    epsilon: positive.optional(),
    centered: z.boolean().optional(),
  }),
  z.strictObject({ name: z.literal("adam"), ...adam }),
  z.strictObject({ name: z.literal("adamw"), ...adam }),
]);

/** Arguments that every optimizer takes; at most one of the three clippings. */
interface CommonOptions {
  /** Number, or a schedule of the step; Keras' default of the optimizer when left out. */
  readonly learningRate?: number | Schedule | undefined;
  readonly weightDecay?: number | undefined;
  readonly clipnorm?: number | undefined;
  readonly clipvalue?: number | undefined;
  readonly globalClipnorm?: number | undefined;
}

interface AdamOptions extends CommonOptions {
  readonly beta1?: number | undefined;
  readonly beta2?: number | undefined;
  readonly epsilon?: number | undefined;
  readonly amsgrad?: boolean | undefined;
}

/** An optimizer with its arguments, as data; names, defaults and formulas are those of Keras 3. */
export type OptimizerConfig =
  | ({
      readonly name: "sgd";
      readonly momentum?: number | undefined;
      readonly nesterov?: boolean | undefined;
    } & CommonOptions)
  | ({
      readonly name: "rmsprop";
      readonly rho?: number | undefined;
      readonly momentum?: number | undefined;
      readonly epsilon?: number | undefined;
      readonly centered?: boolean | undefined;
    } & CommonOptions)
  | ({ readonly name: "adam" } & AdamOptions)
  | ({ readonly name: "adamw" } & AdamOptions);

/** Names of the optimizers. */
const optimizerNames = ["sgd", "rmsprop", "adam", "adamw"] as const;

/**
 * Parses an optimizer given by name or as data.
 * @throws LearnError `optimizer-invalid` naming the argument.
 */
export const parseOptimizer = (input: unknown): OptimizerConfig => {
  const value = typeof input === "string" ? { name: input.toLowerCase() } : input;
  const parsed = OptimizerSchema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const where = issue?.path.join(".") ?? "";
    const known = where === "name" || where === "" ? ` Known optimizers: ${optimizerNames.join(", ")}.` : "";
    throw new LearnError(
      "optimizer-invalid",
      `The optimizer is not valid${where ? ` at "${where}"` : ""}: ${issue?.message ?? "unknown form"}.${known}`,
    );
  }
  const config = parsed.data;
  const clippings = [config.clipnorm, config.clipvalue, config.globalClipnorm].filter((limit) => limit !== undefined);
  if (clippings.length > 1) {
    throw new LearnError(
      "optimizer-invalid",
      "Only one of clipnorm, clipvalue and globalClipnorm may be given. Remove the others.",
    );
  }
  return config;
};
