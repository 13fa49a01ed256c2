import { z } from "zod";
import { LearnError } from "../errors.ts";

/** How the losses of a batch become one number. */
export type Reduction =
  /** Their sum, divided by their number; the default. A sample weight only multiplies. */
  | "sum_over_batch_size"
  /** Their sum. */
  | "sum"
  /** Their sum, divided by the sum of the sample weights. */
  | "mean_with_sample_weight";

interface Common {
  /** `sum_over_batch_size` by default. */
  readonly reduction?: Reduction | undefined;
}

interface Logits extends Common {
  /** Whether the model gives logits instead of probabilities; false by default. */
  readonly fromLogits?: boolean | undefined;
}

/** Arguments of losses over probabilities with smoothed labels. */
export interface Smoothed extends Logits {
  /** Share of each label that is spread over all classes; 0 by default. */
  readonly labelSmoothing?: number | undefined;
}

interface Focal extends Smoothed {
  /** How much easy examples count less; 2 by default. */
  readonly gamma?: number | undefined;
  /** Weight of the classes; 0.25 by default. */
  readonly alpha?: number | undefined;
}

interface Overlap extends Common {
  /** Axes that one overlap is measured over, the batch being 0; all by default, which gives one loss a batch. */
  readonly axis?: readonly number[] | undefined;
}

/** Losses without arguments of their own. */
export const plainLossNames = [
  "mean_squared_error",
  "mean_absolute_error",
  "mean_absolute_percentage_error",
  "mean_squared_logarithmic_error",
  "log_cosh",
  "kl_divergence",
  "poisson",
  "hinge",
  "squared_hinge",
  "categorical_hinge",
  "cosine_similarity",
] as const;

/** Names of the losses, as in Keras. */
export const lossNames: readonly LossConfig["name"][] = [
  ...plainLossNames,
  "huber",
  "binary_crossentropy",
  "categorical_crossentropy",
  "sparse_categorical_crossentropy",
  "binary_focal_crossentropy",
  "categorical_focal_crossentropy",
  "categorical_generalized_cross_entropy",
  "dice",
  "tversky",
  "ctc",
];

/** A loss with its arguments, as data. */
export type LossConfig =
  | ({ readonly name: (typeof plainLossNames)[number] } & Common)
  | ({
      readonly name: "huber";
      /** Where the loss turns from squared to linear; 1 by default. */
      readonly delta?: number | undefined;
    } & Common)
  | ({ readonly name: "binary_crossentropy" | "categorical_crossentropy" } & Smoothed)
  | ({
      readonly name: "sparse_categorical_crossentropy";
      /** A class that is left out of the loss; none by default. */
      readonly ignoreClass?: number | undefined;
    } & Logits)
  | ({
      readonly name: "binary_focal_crossentropy";
      /** Whether `alpha` weighs the positive class and 1 − `alpha` the negative one; false by default. */
      readonly applyClassBalancing?: boolean | undefined;
    } & Focal)
  | ({ readonly name: "categorical_focal_crossentropy" } & Focal)
  | ({
      readonly name: "categorical_generalized_cross_entropy";
      /** Between 0 (cross-entropy) and 1 (mean absolute error); 0.5 by default. */
      readonly q?: number | undefined;
    } & Common)
  | ({ readonly name: "dice" } & Overlap)
  | ({
      readonly name: "tversky";
      /** Weight of false positives; 0.5 by default. */
      readonly alpha?: number | undefined;
      /** Weight of false negatives; 0.5 by default. */
      readonly beta?: number | undefined;
    } & Overlap)
  | ({
      readonly name: "ctc";
      /** Length of the longest list of labels; shorter ones end in zeros, which stand for no label. */
      readonly labelLength: number;
    } & Common);

const shortNames = {
  mse: "mean_squared_error",
  mae: "mean_absolute_error",
  mape: "mean_absolute_percentage_error",
  msle: "mean_squared_logarithmic_error",
  kld: "kl_divergence",
} as const;

/** A loss by name, by Keras' short name, or with its arguments. */
export type Loss = LossConfig | Exclude<LossConfig["name"], "ctc"> | keyof typeof shortNames;

const common = { reduction: z.enum(["sum_over_batch_size", "sum", "mean_with_sample_weight"]).optional() };
const logits = { ...common, fromLogits: z.boolean().optional() };
const smoothed = { ...logits, labelSmoothing: z.number().min(0).max(1).optional() };
const weight = z.number().min(0).optional();
const focal = { ...smoothed, gamma: weight, alpha: weight };
const overlap = { ...common, axis: z.array(z.int()).min(1).optional() };

const lossSchema: z.ZodType<LossConfig> = z.discriminatedUnion("name", [
  z.strictObject({ name: z.enum(plainLossNames), ...common }),
  z.strictObject({ name: z.literal("huber"), delta: z.number().positive().optional(), ...common }),
  z.strictObject({ name: z.enum(["binary_crossentropy", "categorical_crossentropy"]), ...smoothed }),
  z.strictObject({ name: z.literal("sparse_categorical_crossentropy"), ignoreClass: z.int().optional(), ...logits }),
  z.strictObject({
    name: z.literal("binary_focal_crossentropy"),
    applyClassBalancing: z.boolean().optional(),
    ...focal,
  }),
  z.strictObject({ name: z.literal("categorical_focal_crossentropy"), ...focal }),
  z.strictObject({
    name: z.literal("categorical_generalized_cross_entropy"),
    q: z.number().gt(0).lt(1).optional(),
    ...common,
  }),
  z.strictObject({ name: z.literal("dice"), ...overlap }),
  z.strictObject({ name: z.literal("tversky"), alpha: weight, beta: weight, ...overlap }),
  z.strictObject({ name: z.literal("ctc"), labelLength: z.int().min(1).max(10_000), ...common }),
]);

const fullName = (name: string): string =>
  Object.hasOwn(shortNames, name) ? shortNames[name as keyof typeof shortNames] : name;

/**
 * Parses a loss given by name or as data.
 * @throws LearnError `loss-invalid`.
 */
export const parseLoss = (input: unknown): LossConfig => {
  const parsed = lossSchema.safeParse(typeof input === "string" ? { name: fullName(input) } : input);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new LearnError(
    "loss-invalid",
    `The loss ${JSON.stringify(input)} is not valid${issue ? ` at "${issue.path.join(".")}": ${issue.message}` : ""}. Known losses: ${lossNames.join(", ")}.`,
  );
};

/** Whether a loss takes class numbers [batch, …] (int32) instead of values of the prediction's shape. */
export const takesClasses = (loss: LossConfig): boolean =>
  loss.name === "sparse_categorical_crossentropy" ||
  loss.name === "categorical_generalized_cross_entropy" ||
  loss.name === "ctc";

/** Shape of one sample's target, from that of its prediction. */
export const targetShapeOf = (loss: LossConfig, prediction: readonly number[]): readonly number[] => {
  if (loss.name === "ctc") return [loss.labelLength];
  return takesClasses(loss) ? prediction.slice(0, -1) : prediction;
};

/** Losses whose value over a batch is not made of its samples' values: overlaps, and labels read from the whole batch. */
const overBatch: ReadonlySet<string> = new Set(["dice", "tversky", "hinge", "squared_hinge"]);

/** Whether a batch's loss is the mean of its parts' losses, weighted by their numbers of samples. */
export const isMeanOfSamples = (loss: LossConfig): boolean =>
  (loss.reduction ?? "sum_over_batch_size") === "sum_over_batch_size" &&
  !overBatch.has(loss.name) &&
  !("ignoreClass" in loss && loss.ignoreClass !== undefined);
