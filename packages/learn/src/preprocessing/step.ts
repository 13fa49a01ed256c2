/** Steps that work on pixels, before anything else; they are executed by the same code in training and serving. */
export type ImageStep =
  /** Brings an image to a size, as Keras' `Resizing`. */
  | {
      readonly step: "resize";
      readonly height: number;
      readonly width: number;
      readonly interpolation: "bilinear" | "nearest";
    }
  /** Cuts out the middle of an image, as Keras' `CenterCrop`. */
  | { readonly step: "crop"; readonly height: number; readonly width: number }
  /** Weighs red, green and blue to one channel, as `tf.image.rgb_to_grayscale`. */
  | { readonly step: "grayscale" };

/** How missing values are filled, as scikit-learn's `SimpleImputer`. */
export type ImputeStrategy = "mean" | "median" | "most_frequent" | "constant";

/** What to do with a category that no training row had, as scikit-learn's `OneHotEncoder`. */
export type UnknownCategory = "error" | "ignore";

/** Steps that work on values, as they are asked for; `columns` left out means every column that the step suits. */
export type ValueStep =
  /** x · scale + offset, as Keras' `Rescaling`. */
  | {
      readonly step: "scale";
      readonly columns?: readonly string[] | undefined;
      readonly scale: number;
      readonly offset: number;
    }
  /** (x − mean) / deviation, as scikit-learn's `StandardScaler` and Keras' `Normalization`. */
  | { readonly step: "standardise"; readonly columns?: readonly string[] | undefined }
  /** Fills missing values. */
  | {
      readonly step: "impute";
      readonly columns?: readonly string[] | undefined;
      readonly strategy: ImputeStrategy;
      /** With `constant`: the value, or the category's name. */
      readonly fillValue?: number | string | undefined;
    }
  /** One value per category, 1 for the row's own and 0 elsewhere. */
  | {
      readonly step: "one_hot";
      readonly columns?: readonly string[] | undefined;
      readonly handleUnknown: UnknownCategory;
    };

/** A step as a run asks for it. */
export type PreprocessingStep = ImageStep | ValueStep;

/** A value step with the constants that were found on the training rows, in the order of its columns. */
export type FittedValueStep =
  | { readonly step: "scale"; readonly columns: readonly string[]; readonly scale: number; readonly offset: number }
  | {
      readonly step: "standardise";
      readonly columns: readonly string[];
      readonly mean: readonly number[];
      /** Of the population; 1 where all training values are equal. */
      readonly variance: readonly number[];
    }
  | {
      readonly step: "impute";
      readonly columns: readonly string[];
      readonly strategy: ImputeStrategy;
      /** A number, or the name of a category. */
      readonly fill: readonly (number | string)[];
    }
  | {
      readonly step: "one_hot";
      readonly columns: readonly string[];
      readonly handleUnknown: UnknownCategory;
      /** What each output stands for. */
      readonly categories: readonly (readonly string[])[];
      /** Categories of the schema that no training row had: they count as unknown. */
      readonly unseen: readonly (readonly string[])[];
    };

/** A step of an artefact. */
export type FittedStep = ImageStep | FittedValueStep;

/** Whether a step works on pixels. */
export const isImageStep = <Step extends { readonly step: string }>(
  step: Step,
): step is Extract<Step, { readonly step: ImageStep["step"] }> => ["resize", "crop", "grayscale"].includes(step.step);

/**
 * One value of the last axis of the model's raw input: a column of a table, a channel of an image, an element of a
 * tensor. Missing values are NaN; categories are indices, −1 for one that is not in the list.
 */
export type Lane =
  | { readonly kind: "number"; readonly name: string }
  | { readonly kind: "category"; readonly name: string; readonly categories: readonly string[] };
