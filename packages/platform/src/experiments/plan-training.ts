import type { Column, DatasetVersion, SignatureInput, SignatureOutput, StartRun } from "@modelyard/contracts";
import { type CompileOptions, LearnError, type ModelDefinition } from "@modelyard/learn";
import { PlatformError } from "../foundation/index.ts";

/** What a training can take; the plain tensors of graphs made elsewhere have no columns to read. */
type TrainingInput = Exclude<SignatureInput, { kind: "tensors" }>;

/** What a run trains on and how, worked out from the request and the dataset's schema. */
export interface TrainingPlan {
  readonly features: readonly Column[];
  readonly target: Column;
  readonly definition: ModelDefinition;
  readonly compile: Omit<CompileOptions, "executor">;
  readonly input: TrainingInput;
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

/** Height, width and channels that the model's input asks for, to bring images of any size to. */
const imageShape = (definition: ModelDefinition): readonly number[] => {
  const first = definition.layers.find(({ layer }) => /^input/i.test(layer));
  const shape = first?.["shape"];
  return Array.isArray(shape) && shape.every((size) => typeof size === "number") ? shape : [];
};

const inputOf = (features: readonly Column[], definition: ModelDefinition): TrainingInput => {
  const [first] = features;
  if (first === undefined) throw unsuited("There is no column to learn from. Name at least one in `features`.");
  if (first.kind === "image" || first.kind === "tensor") {
    if (features.length > 1) {
      throw unsuited(`The column "${first.name}" cannot be joined with others. Name it alone in \`features\`.`);
    }
    if (first.kind === "tensor") return { kind: "tensor", shape: [...first.shape] };
    const [height = first.height, width = first.width] = imageShape(definition);
    if (height === null || width === null) {
      throw unsuited(
        "The images differ in size. Begin the definition with an Input of shape [height, width, channels].",
      );
    }
    return { kind: "image", height, width, channels: first.channels };
  }
  const columns = features.map((column) => {
    if (column.kind === "number") return { kind: "number" as const, name: column.name };
    if (column.kind === "category") {
      return { kind: "category" as const, name: column.name, categories: [...column.categories] };
    }
    throw unsuited(
      `The column "${column.name}" holds ${column.kind}, which cannot be joined into a table row. Leave it out of \`features\`.`,
    );
  });
  return { kind: "row", columns };
};

const sliceColumn = (dataset: TrainingSchema, name: string): CategoryColumn => {
  const column = columnNamed(dataset, name);
  if (column.kind === "category") return column;
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
 * Works out what to train.
 * @throws PlatformError `column-unknown`; LearnError `shape-mismatch` when columns do not suit each other.
 */
export const planTraining = (request: StartRun, dataset: TrainingSchema): TrainingPlan => {
  const target = targetOf(request, dataset);
  const names = request.features ?? dataset.columns.map(({ name }) => name).filter((name) => name !== target.name);
  const features = names.map((name) => columnNamed(dataset, name));
  // The wire's schema checks the frame, the learning engine everything inside.
  const definition = request.definition as unknown as ModelDefinition;
  const input = inputOf(features, definition);
  const compile = compileOptions(request, target.kind === "category");
  return {
    features,
    target,
    definition,
    input,
    output: outputOf(target, compile.loss),
    labels: target.kind === "category" ? target.categories : null,
    slices: (request.slices ?? []).map((name) => sliceColumn(dataset, name)),
    compile,
  };
};
