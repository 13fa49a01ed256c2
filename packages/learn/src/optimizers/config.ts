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
    values: z.array(z.number().min(0)).min(1),
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
  z.strictObject({
    schedule: z.literal("one_cycle"),
    maxLearningRate: positive,
    totalSteps: z.int().min(2),
    risingShare: z.number().gt(0).lt(1).optional(),
    initialDivisor: positive.optional(),
    finalDivisor: positive.optional(),
    annealing: z.enum(["cosine", "linear"]).optional(),
  }),
]);

const share = z.number().min(0).lt(1);
const base = {
  learningRate: z.union([z.number().min(0), ScheduleSchema]).optional(),
  weightDecay: z.number().min(0).optional(),
  excludeFromWeightDecay: z.array(z.string().min(1)).optional(),
  learningRateFactors: z.record(z.string(), z.number().min(0)).optional(),
  clipnorm: positive.optional(),
  clipvalue: positive.optional(),
  globalClipnorm: positive.optional(),
  gradientAccumulationSteps: z.int().min(2).optional(),
  useEma: z.boolean().optional(),
  emaMomentum: z.number().min(0).max(1).optional(),
  emaOverwriteFrequency: z.int().min(1).optional(),
};
const epsilon = positive.optional();
const moments = { ...base, beta1: share.optional(), beta2: share.optional() };
const adam = { ...moments, epsilon, amsgrad: z.boolean().optional() };
const rmsprop = { rho: share.optional(), momentum: share.optional(), epsilon, centered: z.boolean().optional() };

const OptimizerSchema: z.ZodType<OptimizerConfig> = z.discriminatedUnion("name", [
  z.strictObject({ name: z.literal("sgd"), ...base, momentum: share.optional(), nesterov: z.boolean().optional() }),
  z.strictObject({ name: z.literal("rmsprop"), ...base, ...rmsprop }),
  z.strictObject({ name: z.enum(["adam", "adamw"]), ...adam }),
  z.strictObject({ name: z.enum(["adamax", "nadam"]), ...moments, epsilon }),
  z.strictObject({ name: z.literal("lion"), ...moments }),
  z.strictObject({
    name: z.literal("adagrad"),
    ...base,
    initialAccumulatorValue: z.number().min(0).optional(),
    epsilon,
  }),
  z.strictObject({ name: z.literal("adadelta"), ...base, rho: share.optional(), epsilon }),
]);

/** Arguments that every optimizer takes; at most one of the three clippings. */
export interface CommonOptions {
  /** Number, or a schedule of the step; Keras' default of the optimizer when left out. */
  readonly learningRate?: number | Schedule | undefined;
  /** Share of each weight taken off a step, times the learning rate; 0.004 for AdamW, else 0 by default. */
  readonly weightDecay?: number | undefined;
  /** Weights whose full name `layer/weight` holds one of these do not decay, e.g. `bias`. */
  readonly excludeFromWeightDecay?: readonly string[] | undefined;
  /** Factors of the learning rate by the beginning of a weight's full name, e.g. a layer; the longest match counts. */
  readonly learningRateFactors?: Readonly<Record<string, number>> | undefined;
  /** Largest norm of one weight's gradient. */
  readonly clipnorm?: number | undefined;
  /** Largest absolute value of a gradient's element. */
  readonly clipvalue?: number | undefined;
  /** Largest norm of all gradients together. */
  readonly globalClipnorm?: number | undefined;
  /** Batches whose gradients are averaged into one update; every batch updates by default. */
  readonly gradientAccumulationSteps?: number | undefined;
  /** Whether a moving average of the weights is kept, and put in their place when the training ends; false by default. */
  readonly useEma?: boolean | undefined;
  /** Share of the moving average kept at each step; 0.99 by default. */
  readonly emaMomentum?: number | undefined;
  /** Steps after which the moving average replaces the weights; only at the end by default. */
  readonly emaOverwriteFrequency?: number | undefined;
}

interface MomentOptions extends CommonOptions {
  /** Share of the first moment kept at each step; 0.9 by default. */
  readonly beta1?: number | undefined;
  /** Share of the second moment kept at each step; 0.999 by default, 0.99 for Lion. */
  readonly beta2?: number | undefined;
}

interface EpsilonOption {
  /** Keeps divisors from 0; 1e-7 by default. */
  readonly epsilon?: number | undefined;
}

/** An optimizer with its arguments, as data; names, defaults and formulas are those of Keras 3. */
export type OptimizerConfig =
  | ({
      readonly name: "sgd";
      /** Share of the last step that is made again; 0 by default. */
      readonly momentum?: number | undefined;
      /** Whether the momentum looks one step ahead; false by default. */
      readonly nesterov?: boolean | undefined;
    } & CommonOptions)
  | ({
      readonly name: "rmsprop";
      /** Share of the mean square kept at each step; 0.9 by default. */
      readonly rho?: number | undefined;
      /** Share of the last step that is made again; 0 by default. */
      readonly momentum?: number | undefined;
      /** Whether the square of the mean gradient is taken off; false by default. */
      readonly centered?: boolean | undefined;
    } & EpsilonOption &
      CommonOptions)
  | ({
      readonly name: "adam" | "adamw";
      /** Whether the largest second moment so far divides; false by default. */
      readonly amsgrad?: boolean | undefined;
    } & EpsilonOption &
      MomentOptions)
  | ({ readonly name: "adamax" | "nadam" } & EpsilonOption & MomentOptions)
  | ({ readonly name: "lion" } & MomentOptions)
  | ({
      readonly name: "adagrad";
      /** Sum of squares at the beginning; 0.1 by default. */
      readonly initialAccumulatorValue?: number | undefined;
    } & EpsilonOption &
      CommonOptions)
  | ({
      readonly name: "adadelta";
      /** Share of the mean squares kept at each step; 0.95 by default. */
      readonly rho?: number | undefined;
    } & EpsilonOption &
      CommonOptions);

/** Names of the optimizers. */
export const optimizerNames: readonly OptimizerConfig["name"][] = [
  "sgd",
  "rmsprop",
  "adam",
  "adamw",
  "adagrad",
  "adadelta",
  "adamax",
  "nadam",
  "lion",
];

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
