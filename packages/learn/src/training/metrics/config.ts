import { z } from "zod";
import { LearnError } from "../../errors.ts";
import { type LossConfig, lossNames } from "../../losses/index.ts";

/** Metrics without arguments of their own. */
export const plainMetricNames = [
  "accuracy",
  "categorical_accuracy",
  "sparse_categorical_accuracy",
  "root_mean_squared_error",
  "r2_score",
  "mean_iou",
] as const;

/** Metrics that count decisions at a threshold. */
export const countNames = [
  "precision",
  "recall",
  "true_positives",
  "false_positives",
  "true_negatives",
  "false_negatives",
] as const;

/** Losses that are metrics too: those with a value for each sample and no argument that must be given. */
export type SampleLossName = Exclude<LossConfig["name"], "dice" | "tversky" | "ctc">;

const sampleLossNames = lossNames.filter((name): name is SampleLossName => !["dice", "tversky", "ctc"].includes(name));

/** Names of the metrics that are measured while a model trains; every loss of single samples is one too. */
export const metricNames: readonly MetricConfig["name"][] = [
  ...plainMetricNames,
  "binary_accuracy",
  "top_k_categorical_accuracy",
  "sparse_top_k_categorical_accuracy",
  ...countNames,
  "f1_score",
  "auc",
  ...sampleLossNames,
];

interface Labelled {
  /** Name under which the value is reported; the metric's name by default. */
  readonly label?: string | undefined;
}

/** A metric with its arguments, as data; names and defaults are those of Keras. */
export type MetricConfig =
  | ({ readonly name: (typeof plainMetricNames)[number] | SampleLossName } & Labelled)
  | ({
      readonly name: "binary_accuracy";
      /** Above it an output counts as 1; 0.5 by default. */
      readonly threshold?: number | undefined;
    } & Labelled)
  | ({
      readonly name: "top_k_categorical_accuracy" | "sparse_top_k_categorical_accuracy";
      /** How many of the largest outputs may be the true class; 5 by default. */
      readonly k?: number | undefined;
    } & Labelled)
  | ({
      readonly name: (typeof countNames)[number];
      /** Above it an output counts as 1; 0.5 by default. */
      readonly threshold?: number | undefined;
      /** The only class to count; all by default. */
      readonly classId?: number | undefined;
    } & Labelled)
  | ({
      readonly name: "f1_score";
      /** How the classes' scores become one number; `macro` by default. */
      readonly average?: "micro" | "macro" | "weighted" | undefined;
      /** Above it an output counts as 1; the largest output alone counts by default. */
      readonly threshold?: number | undefined;
    } & Labelled)
  | ({
      readonly name: "auc";
      /** Points of the curve; 200 by default. */
      readonly numThresholds?: number | undefined;
      /** `ROC` by default. */
      readonly curve?: "ROC" | "PR" | undefined;
      /** How the area between two points is taken; `interpolation` by default. */
      readonly summationMethod?: "interpolation" | "minoring" | "majoring" | undefined;
      /** Whether the model gives logits; false by default. */
      readonly fromLogits?: boolean | undefined;
    } & Labelled);

const shortNames = {
  acc: "accuracy",
  mse: "mean_squared_error",
  mae: "mean_absolute_error",
  mape: "mean_absolute_percentage_error",
  msle: "mean_squared_logarithmic_error",
  rmse: "root_mean_squared_error",
} as const;

/** A metric measured while a model trains: by name, by Keras' short name, or with its arguments. */
export type Metric = MetricConfig["name"] | keyof typeof shortNames | MetricConfig;

const label = { label: z.string().min(1).max(64).optional() };
const threshold = z.number().optional();

const schema: z.ZodType<MetricConfig> = z.discriminatedUnion("name", [
  z.strictObject({ name: z.enum([...plainMetricNames, ...sampleLossNames]), ...label }),
  z.strictObject({ name: z.literal("binary_accuracy"), threshold, ...label }),
  z.strictObject({
    name: z.enum(["top_k_categorical_accuracy", "sparse_top_k_categorical_accuracy"]),
    k: z.int().min(1).optional(),
    ...label,
  }),
  z.strictObject({ name: z.enum(countNames), threshold, classId: z.int().min(0).optional(), ...label }),
  z.strictObject({
    name: z.literal("f1_score"),
    average: z.enum(["micro", "macro", "weighted"]).optional(),
    threshold,
    ...label,
  }),
  z.strictObject({
    name: z.literal("auc"),
    numThresholds: z.int().min(2).max(10_000).optional(),
    curve: z.enum(["ROC", "PR"]).optional(),
    summationMethod: z.enum(["interpolation", "minoring", "majoring"]).optional(),
    fromLogits: z.boolean().optional(),
    ...label,
  }),
]);

const fullName = (name: string): string =>
  Object.hasOwn(shortNames, name) ? shortNames[name as keyof typeof shortNames] : name;

/** Parses metrics given by name or as data. @throws LearnError `metric-invalid`. */
export const parseMetrics = (metrics: readonly unknown[]): readonly MetricConfig[] =>
  metrics.map((given) => {
    const parsed = schema.safeParse(typeof given === "string" ? { name: fullName(given) } : given);
    if (parsed.success) return parsed.data;
    const issue = parsed.error.issues[0];
    throw new LearnError(
      "metric-invalid",
      `The metric ${JSON.stringify(given)} is not known or not valid${issue ? ` at "${issue.path.join(".")}": ${issue.message}` : ""}. Known metrics: ${metricNames.join(", ")}.`,
    );
  });
