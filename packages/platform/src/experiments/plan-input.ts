import type { Column, PreprocessingStep, SignatureInput } from "@modelyard/contracts";
import {
  type ImageSize,
  type ImageStep,
  isImageStep,
  type Lane,
  LearnError,
  mannersOf,
  type ModelDefinition,
  outputNames,
  type ResolvedStep,
  resolveSteps,
  sizeAfter,
  type ValueStep,
} from "@modelyard/learn";

/** What a training can take; the plain tensors of graphs made elsewhere have no columns to read. */
type TrainingInput = Exclude<SignatureInput, { kind: "tensors" }>;

/** How raw rows or images become what the network takes. */
export interface InputPlan {
  /** What a prediction takes. */
  readonly input: TrainingInput;
  /** Steps on pixels, executed where the raw input is read. */
  readonly imageSteps: readonly ImageStep[];
  /** Steps on values, executed inside the graph. */
  readonly valueSteps: readonly ResolvedStep[];
  readonly lanes: readonly Lane[];
  /** Shape of one sample as it goes into the graph: after the steps on pixels, before those on values. */
  readonly rawShape: readonly number[];
  /** The network; its Input has the shape of the preprocessed samples. */
  readonly definition: ModelDefinition;
}

const unsuited = (message: string): LearnError => new LearnError("shape-mismatch", message);
const invalidStep = (message: string): LearnError => new LearnError("preprocessing-invalid", message);

/** Shape that the network asks for; undefined when it leaves that to the data. */
const inputShape = (definition: ModelDefinition): readonly number[] | undefined => {
  const shape = definition.layers.find(({ layer }) => layer === "Input")?.["shape"];
  return Array.isArray(shape) && shape.every((size) => typeof size === "number") ? shape : undefined;
};

/** Gives a network without an Input one of the data's shape, and refuses one that does not fit. */
const fitDefinition = (
  definition: ModelDefinition,
  shape: readonly number[],
  names: readonly string[],
): ModelDefinition => {
  const given = inputShape(definition);
  if (given === undefined) {
    if (definition.kind !== "sequential" || definition.layers[0]?.layer === "Input") return definition;
    return { ...definition, layers: [{ layer: "Input", shape: [...shape] }, ...definition.layers] };
  }
  if (given.join() === shape.join()) return definition;
  const listed = names.length > 1 && names.length <= 50 ? ` (${names.join(", ")})` : "";
  throw unsuited(
    `The model's Input has the shape [${given.join(", ")}], but the data after preprocessing has [${shape.join(", ")}]${listed}. Give the Input that shape, or leave it out.`,
  );
};

const splitSteps = (
  steps: readonly PreprocessingStep[],
): { readonly image: readonly ImageStep[]; readonly value: readonly ValueStep[] } => {
  const first = steps.findIndex((step) => !isImageStep(step));
  const late = first < 0 ? undefined : steps.slice(first).find(isImageStep);
  if (late !== undefined) {
    throw invalidStep(`The step ${late.step} works on pixels, so it must come before the steps on values.`);
  }
  return {
    image: steps.filter(isImageStep),
    value: steps.filter((step): step is Exclude<PreprocessingStep, ImageStep> => !isImageStep(step)),
  };
};

const numberLanes = (name: string, count: number): Lane[] =>
  Array.from({ length: count }, (_, at) => ({ kind: "number", name: `${name}[${at}]` }));

/** A single column of many values: its steps work on all of them, whether they name it or not. */
const wholeColumn = (steps: readonly ValueStep[], name: string): ValueStep[] =>
  steps.map((step) => {
    if (step.columns === undefined || (step.columns.length === 1 && step.columns[0] === name)) {
      const { columns: _, ...rest } = step;
      return rest;
    }
    throw new LearnError(
      "column-unknown",
      `The step ${step.step} names ${step.columns.slice(0, 10).join(", ")}, but the model learns from "${name}" alone.`,
    );
  });

type ImageColumn = Extract<Column, { kind: "image" }>;
type TensorColumn = Extract<Column, { kind: "tensor" }>;

/** Images of different sizes without a step that brings them to one get a resize to the size that the network asks for. */
const sizingSteps = (
  size: ImageSize,
  steps: readonly ImageStep[],
  definition: ModelDefinition,
): readonly ImageStep[] => {
  const { height, width } = sizeAfter(size, steps);
  if (height !== null && width !== null) return steps;
  const [wantedHeight, wantedWidth] = inputShape(definition) ?? [];
  if (wantedHeight === undefined || wantedWidth === undefined) {
    throw unsuited(
      "The images differ in size. Add a resize step, or begin the definition with an Input of shape [height, width, channels].",
    );
  }
  return [...steps, { step: "resize", height: wantedHeight, width: wantedWidth, interpolation: "bilinear" }];
};

const planImage = (
  { name, height, width, channels }: ImageColumn,
  steps: ReturnType<typeof splitSteps>,
  definition: ModelDefinition,
): InputPlan => {
  if (steps.image.some(({ step }) => step === "grayscale") && channels === 1) {
    throw invalidStep("The images have one channel already. Leave the step grayscale out.");
  }
  if (steps.value.some(({ step }) => step === "impute")) {
    throw invalidStep("Pixels are never missing. Leave the step impute out.");
  }
  const size = { height, width, channels };
  const imageSteps = sizingSteps(size, steps.image, definition);
  const after = sizeAfter(size, imageSteps);
  const rawShape = [after.height ?? 0, after.width ?? 0, after.channels];
  const lanes = numberLanes(name, after.channels);
  return {
    input: { kind: "image", height, width, channels },
    imageSteps,
    valueSteps: resolveSteps(wholeColumn(steps.value, name), lanes),
    lanes,
    rawShape,
    definition: fitDefinition(definition, rawShape, []),
  };
};

const planTensor = (
  { name, shape }: TensorColumn,
  steps: readonly ValueStep[],
  definition: ModelDefinition,
): InputPlan => {
  const rawShape = shape.length === 0 ? [1] : shape;
  const lanes = numberLanes(name, rawShape.at(-1) ?? 1);
  const valueSteps = resolveSteps(wholeColumn(steps, name), lanes);
  return {
    input: { kind: "tensor", shape: [...rawShape], missing: mannersOf(valueSteps, 0).missing },
    imageSteps: [],
    valueSteps,
    lanes,
    rawShape,
    definition: fitDefinition(definition, rawShape, []),
  };
};

const laneOf = (column: Column): Lane => {
  if (column.kind === "number") return { kind: "number", name: column.name };
  if (column.kind === "category") return { kind: "category", name: column.name, categories: column.categories };
  throw unsuited(
    `The column "${column.name}" holds ${column.kind}, which cannot be joined into a table row. Leave it out of \`features\`.`,
  );
};

const planRow = (columns: readonly Column[], steps: readonly ValueStep[], definition: ModelDefinition): InputPlan => {
  const lanes = columns.map(laneOf);
  const valueSteps = resolveSteps(steps, lanes);
  const names = outputNames(valueSteps, lanes);
  return {
    input: {
      kind: "row",
      columns: lanes.map((lane, at) => {
        const { missing, unknown } = mannersOf(valueSteps, at);
        return lane.kind === "number"
          ? { kind: "number", name: lane.name, missing }
          : { kind: "category", name: lane.name, categories: [...lane.categories], missing, unknown };
      }),
    },
    imageSteps: [],
    valueSteps,
    lanes,
    rawShape: [lanes.length],
    definition: fitDefinition(definition, [names.length], names),
  };
};

/**
 * Works out how raw data becomes the network's input.
 * @throws LearnError `shape-mismatch`, `column-unknown` or `preprocessing-invalid`, saying what does not fit.
 */
export const planInput = (
  features: readonly Column[],
  requested: readonly PreprocessingStep[],
  definition: ModelDefinition,
): InputPlan => {
  const [first] = features;
  if (first === undefined) throw unsuited("There is no column to learn from. Name at least one in `features`.");
  const alone = features.find(({ kind }) => kind === "image" || kind === "tensor");
  if (alone !== undefined && features.length > 1) {
    throw unsuited(`The column "${alone.name}" cannot be joined with others. Name it alone in \`features\`.`);
  }
  const steps = splitSteps(requested);
  if (first.kind === "image") return planImage(first, steps, definition);
  const [onPixels] = steps.image;
  if (onPixels !== undefined) {
    throw invalidStep(`The step ${onPixels.step} works on images, but the model learns from "${first.name}".`);
  }
  return first.kind === "tensor"
    ? planTensor(first, steps.value, definition)
    : planRow(features, steps.value, definition);
};
