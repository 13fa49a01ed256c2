import { LearnError } from "../errors.ts";
import { checkClasses, checkSamples, type DataArray, sampleCount } from "./data.ts";
import type { Objective, OutputObjective } from "./objective.ts";

/** One array for a model with one input or output, or arrays in their order or by their names. */
export type Arrays = DataArray | readonly DataArray[] | Readonly<Record<string, DataArray>>;

/** Samples with their targets. */
export interface LabelledData {
  /** Inputs [samples, …input]. */
  readonly x: Arrays;
  /** Targets [samples, …output], or class numbers [samples, …] where the loss takes them. */
  readonly y: Arrays;
  /** Weight of each sample in the loss, [samples]; by output where they differ. */
  readonly sampleWeight?: DataArray | Readonly<Record<string, DataArray>> | undefined;
}

/** Samples that are known to fit a model, sorted by its inputs and outputs. */
export interface SampleSet {
  readonly samples: number;
  readonly inputs: readonly DataArray[];
  readonly targets: readonly DataArray[];
  /** Weights of the samples for each output; undefined where all are 1. */
  readonly weights: readonly (DataArray | undefined)[];
}

const isArray = (value: Arrays): value is DataArray => Array.isArray((value as Partial<DataArray>).shape);
const isList = (value: Arrays): value is readonly DataArray[] => Array.isArray(value);

/** Sorts arrays by the names of a model's inputs or outputs. */
export const arrange = (given: Arrays, names: readonly string[], what: string): readonly DataArray[] => {
  const arrays = isArray(given) ? [given] : isList(given) ? given : names.map((name) => given[name]);
  const complete = arrays.filter((array) => array !== undefined);
  if (complete.length === names.length) return complete;
  const found = isArray(given) || isList(given) ? String(arrays.length) : Object.keys(given).join(", ");
  throw new LearnError(
    "shape-mismatch",
    `${what} needs ${names.length === 1 ? "one array" : `an array for each of ${names.join(", ")}`}, but ${found || "none"} came.`,
  );
};

const checkCounts = (counts: readonly { readonly what: string; readonly count: number }[]): number => {
  const [first] = counts;
  const other = counts.find(({ count }) => count !== first?.count) ?? counts.at(-1);
  const samples = first?.count ?? 0;
  if (samples > 0 && other?.count === samples) return samples;
  throw new LearnError(
    "shape-mismatch",
    `${first?.what} holds ${samples} samples and ${other?.what} ${other?.count}; both must hold the same, at least one.`,
  );
};

const weightsFor = ({ sampleWeight }: LabelledData, { output }: OutputObjective): DataArray | undefined => {
  if (sampleWeight === undefined) return undefined;
  return Array.isArray(sampleWeight.shape)
    ? (sampleWeight as DataArray)
    : (sampleWeight as Readonly<Record<string, DataArray>>)[output];
};

const checkWeights = (weights: DataArray): void => {
  const { values } = weights;
  for (let row = 0; row < values.length; row++) {
    const weight = values[row] as number;
    if (Number.isFinite(weight) && weight >= 0) continue;
    throw new LearnError("invalid-input", `The weight of sample ${row} is ${weight}; weights are numbers from 0 on.`);
  }
};

/** The class of a row: a class number, the larger side of 0.5, or the place of the largest value. */
const classOf = (target: DataArray, row: number, width: number): number => {
  const { values } = target;
  if (width === 1) return Math.round(values[row] as number);
  let best = 0;
  for (let k = 1; k < width; k++) {
    if ((values[row * width + k] as number) > (values[row * width + best] as number)) best = k;
  }
  return best;
};

/**
 * Turns weights of classes into weights of samples; a class without a weight has 1.
 * Source: keras/src/trainers/data_adapters/data_adapter_utils.py, `class_weight_to_sample_weights`.
 * @throws LearnError `invalid-input` for several outputs, or together with weights of samples.
 */
export const withClassWeights = (
  set: SampleSet,
  classWeight: Readonly<Record<number, number>> | undefined,
): SampleSet => {
  if (classWeight === undefined) return set;
  const [target] = set.targets;
  if (target === undefined || set.targets.length !== 1 || set.weights[0] !== undefined) {
    throw new LearnError(
      "invalid-input",
      "Class weights need a model with one output and no sample weights. Multiply them into the sample weights instead.",
    );
  }
  const width = target.values.length / set.samples;
  const values = Float32Array.from({ length: set.samples }, (_, row) => classWeight[classOf(target, row, width)] ?? 1);
  return { ...set, weights: [{ shape: [set.samples], values }] };
};

/**
 * Checks data against a model and sorts it.
 * @throws LearnError `shape-mismatch` or `invalid-input` naming what does not fit.
 */
export const prepareSamples = (objective: Objective, data: LabelledData): SampleSet => {
  const { model, outputs } = objective;
  const inputs = arrange(data.x, model.inputs, "x");
  const targets = arrange(
    data.y,
    outputs.map(({ output }) => output),
    "y",
  );
  const title = (what: string, name: string, several: boolean): string => (several ? `${what} "${name}"` : what);
  const counts: { what: string; count: number }[] = [];
  for (const [index, name] of model.inputs.entries()) {
    const what = title("x", name, model.inputs.length > 1);
    const shape = model.layers.find((layer) => layer.name === name)?.outputShape ?? [];
    checkSamples(inputs[index] as DataArray, shape, what);
    counts.push({ what, count: sampleCount(inputs[index] as DataArray, what) });
  }
  const weights = outputs.map((output, index) => {
    const what = title("y", output.output, outputs.length > 1);
    const target = targets[index] as DataArray;
    checkSamples(target, output.targetShape, what);
    counts.push({ what, count: sampleCount(target, what) });
    if (output.classes) checkClasses(target, { classes: output.shape.at(-1) ?? 1, loss: output.loss });
    const weight = weightsFor(data, output);
    if (weight === undefined) return undefined;
    checkSamples(weight, [], "sampleWeight");
    counts.push({ what: "sampleWeight", count: sampleCount(weight, "sampleWeight") });
    checkWeights(weight);
    return weight;
  });
  return { samples: checkCounts(counts), inputs, targets, weights };
};

const rowsOf = (data: DataArray, first: number, last: number): DataArray => {
  const width = data.values.length / (data.shape[0] ?? 1);
  const { values } = data;
  const part = Array.isArray(values)
    ? values.slice(first * width, last * width)
    : values.subarray(first * width, last * width);
  return { shape: [last - first, ...data.shape.slice(1)], values: part };
};

/** The samples first…last−1, without a copy. */
export const samplesBetween = (set: SampleSet, first: number, last: number): SampleSet => ({
  samples: last - first,
  inputs: set.inputs.map((array) => rowsOf(array, first, last)),
  targets: set.targets.map((array) => rowsOf(array, first, last)),
  weights: set.weights.map((array) => array && rowsOf(array, first, last)),
});
