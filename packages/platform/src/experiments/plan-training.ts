import type { Column, DatasetVersion, SignatureOutput, StartRun } from "@modelyard/contracts";
import { type CompileOptions, LearnError, type ModelDefinition } from "@modelyard/learn";
import { PlatformError } from "../foundation/index.ts";
import { type InputPlan, planInput } from "./plan-input.ts";

/** What a run trains on and how, worked out from the request and the dataset's schema. */
export interface TrainingPlan extends InputPlan {
  readonly features: readonly Column[];
  readonly target: Column;
  readonly compile: Omit<CompileOptions, "executor">;
  readonly output: SignatureOutput;
  /** Names of the classes, when the target is a category. */
  readonly labels: readonly string[] | null;
  /** Columns by whose categories the evaluation is also given. */
  readonly slices: readonly CategoryColumn[];
}

type CategoryColumn = Extract<Column, { kind: "category" }>;

/** The part of a dataset version that a plan depends on. */
export type TrainingSchema = Pick<DatasetVersion, "dataset" | "version" | "columns" | "target">;

const columnNamed = (dataset: TrainingSchema, name: string): Column => {
  const found = dataset.columns.find((column) => column.name === name);
  if (found !== undefined) return found;
  const names = dataset.columns.slice(0, 50).map((column) => column.name);
  throw new PlatformError(
    "column-unknown",
    `The dataset ${dataset.dataset}@${dataset.version} has no column "${name}". Columns are: ${names.join(", ")}.`,
  );
};

const targetOf = (request: StartRun, dataset: TrainingSchema): Column => {
  const name = request.target ?? dataset.target;
  if (name !== null) return columnNamed(dataset, name);
  throw new PlatformError(
    "column-unknown",
    "Neither the run nor the dataset names the column to predict. Give `target` with the run.",
  );
};

const unsuited = (message: string): LearnError => new LearnError("shape-mismatch", message);

/** The columns to learn from: those that the request names, else all but the target. */
const featuresOf = (request: StartRun, dataset: TrainingSchema, target: Column): Column[] => {
  const names = request.features ?? dataset.columns.map(({ name }) => name).filter((name) => name !== target.name);
  if (names.includes(target.name)) {
    throw unsuited(`The target "${target.name}" is among the features: the model would copy it. Leave it out of them.`);
  }
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw unsuited(`The column "${twice}" stands twice in \`features\`. Name it once.`);
  return names.map((name) => columnNamed(dataset, name));
};

/** Most categories of a column that the evaluation is sliced by. */
const sliceCategoriesMax = 1000;

const sliceColumn = (dataset: TrainingSchema, name: string): CategoryColumn => {
  const column = columnNamed(dataset, name);
  if (column.kind === "category" && column.categories.length <= sliceCategoriesMax) return column;
  if (column.kind === "category") {
    throw unsuited(
      `The evaluation cannot be sliced by "${name}": it has ${column.categories.length} categories, more than ${sliceCategoriesMax}.`,
    );
  }
  throw unsuited(
    `The evaluation cannot be sliced by "${name}", which holds ${column.kind}. Name category columns in \`slices\`.`,
  );
};

const compileOptions = (request: StartRun, category: boolean): TrainingPlan["compile"] => ({
  optimizer: request.optimizer as CompileOptions["optimizer"],
  loss: (request.loss ??
    (category ? "sparse_categorical_crossentropy" : "mean_squared_error")) as CompileOptions["loss"],
  metrics: (request.metrics ?? [category ? "accuracy" : "mean_absolute_error"]) as CompileOptions["metrics"],
  seed: request.seed,
});

/** What the model answers: a category's labels, with logits told by the loss that takes them. */
const outputOf = (target: Column, loss: CompileOptions["loss"]): SignatureOutput => {
  if (target.kind === "number") return { kind: "number", name: target.name };
  if (target.kind !== "category") {
    throw unsuited(
      `The target "${target.name}" holds ${target.kind}; categories and numbers can be predicted. Choose another \`target\`.`,
    );
  }
  const logits = typeof loss === "object" && "fromLogits" in loss && loss.fromLogits === true;
  return { kind: "classes", labels: [...target.categories], scores: logits ? "logits" : "probabilities" };
};

/**
 * Refuses a network whose answer is not one value per class, or one number.
 * @param shape Shape of one sample's output.
 * @throws LearnError `shape-mismatch`.
 */
export const checkOutput = ({ output, target }: TrainingPlan, shape: readonly number[]): void => {
  const width = shape.reduce((product, size) => product * size, 1);
  const classes = output.kind === "classes" ? output.labels.length : 1;
  // One output can be the probability of the second of two classes.
  if (width === classes || (width === 1 && classes === 2)) return;
  const wanted = output.kind === "classes" ? `${classes} classes` : "one number a row";
  throw unsuited(
    `The target "${target.name}" has ${wanted}, but the model gives ${width} values a sample. Give the last layer ${classes} units.`,
  );
};

/**
 * Works out what to train.
 * @throws PlatformError `column-unknown`; LearnError `shape-mismatch` or `preprocessing-invalid` when columns, steps
 *   and network do not suit each other.
 */
export const planTraining = (request: StartRun, dataset: TrainingSchema): TrainingPlan => {
  const target = targetOf(request, dataset);
  const features = featuresOf(request, dataset, target);
  // The wire's schema checks the frame, the learning engine everything inside.
  const definition = request.definition as unknown as ModelDefinition;
  const compile = compileOptions(request, target.kind === "category");
  return {
    ...planInput(features, request.preprocessing ?? [], definition),
    features,
    target,
    output: outputOf(target, compile.loss),
    labels: target.kind === "category" ? target.categories : null,
    slices: (request.slices ?? []).map((name) => sliceColumn(dataset, name)),
    compile,
  };
};
