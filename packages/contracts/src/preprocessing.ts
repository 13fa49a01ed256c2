import { z } from "zod";

const side = z.int().min(1).max(16_384);

/** Steps on pixels. They come first, and the same code executes them in training and serving. */
const imageSteps = [
  /** Brings images to a size (Keras `Resizing`), with half-pixel centres and without antialiasing. */
  z.strictObject({
    step: z.literal("resize"),
    height: side,
    width: side,
    interpolation: z.enum(["bilinear", "nearest"]).default("bilinear"),
  }),
  /** Cuts out the middle (Keras `CenterCrop`); an image that is too small is enlarged first. */
  z.strictObject({ step: z.literal("crop"), height: side, width: side }),
  /** Red, green and blue to one channel (`tf.image.rgb_to_grayscale`). */
  z.strictObject({ step: z.literal("grayscale") }),
] as const;

const names = z.array(z.string().min(1).max(200)).min(1).max(10_000);
/** Columns that a step works on; left out: every feature that it suits. */
const columns = names.optional();
const scale = z.number().default(1);
const offset = z.number().default(0);
const strategy = z.enum(["mean", "median", "most_frequent", "constant"]);
/** What a prediction with an unknown or missing category gets: an error, or zeros for all categories. */
const handleUnknown = z.enum(["error", "ignore"]).default("error");

/**
 * A preprocessing step as a run asks for it. Steps are applied in order, fitted on the training rows alone, and travel
 * with the model: what the model takes stays the raw row or image.
 */
export const PreprocessingStep = z.discriminatedUnion("step", [
  ...imageSteps,
  /** x · scale + offset (Keras `Rescaling`). */
  z.strictObject({ step: z.literal("scale"), columns, scale, offset }),
  /** (x − mean) / standard deviation (scikit-learn `StandardScaler`). */
  z.strictObject({ step: z.literal("standardise"), columns }),
  /** Fills missing values (scikit-learn `SimpleImputer`). */
  z.strictObject({
    step: z.literal("impute"),
    columns,
    strategy,
    /** With `constant`: the value, or the category's name. */
    fillValue: z.union([z.number(), z.string()]).optional(),
  }),
  /** One value per category (scikit-learn `OneHotEncoder`); the last step of its columns. */
  z.strictObject({ step: z.literal("one_hot"), columns, handleUnknown }),
]);
/** A preprocessing step as a run asks for it. */
export type PreprocessingStep = z.infer<typeof PreprocessingStep>;

/** A step of an artefact: with the columns it works on and the constants that were found on the training rows. */
export const FittedStep = z.discriminatedUnion("step", [
  ...imageSteps,
  z.strictObject({ step: z.literal("scale"), columns: names, scale: z.number(), offset: z.number() }),
  z.strictObject({
    step: z.literal("standardise"),
    columns: names,
    mean: z.array(z.number()),
    variance: z.array(z.number()),
  }),
  z.strictObject({
    step: z.literal("impute"),
    columns: names,
    strategy,
    /** A number, or the name of a category. */
    fill: z.array(z.union([z.number(), z.string()])),
  }),
  z.strictObject({
    step: z.literal("one_hot"),
    columns: names,
    handleUnknown: z.enum(["error", "ignore"]),
    /** What each value stands for. */
    categories: z.array(z.array(z.string())),
    /** Categories that no training row had; they count as unknown. */
    unseen: z.array(z.array(z.string())),
  }),
]);
/** A step of an artefact. */
export type FittedStep = z.infer<typeof FittedStep>;
