import type { ResolvedModel } from "../definition/resolve.ts";
import { LearnError } from "../errors.ts";
import {
  isMeanOfSamples,
  type Loss,
  type LossConfig,
  parseLoss,
  takesClasses,
  targetShapeOf,
} from "../losses/index.ts";
import { type Meter, meterOf, type Metric, type MetricConfig, parseMetrics } from "./metrics/index.ts";

/** One value for a model with one output, or values by output. */
export type PerOutput<Value> = Value | Readonly<Record<string, Value>>;

/** What a model is to be trained for, as the user says it. */
export interface ObjectiveOptions {
  /** Loss by name, or with its arguments; by output for a model with several, where one left out is not trained. */
  readonly loss: PerOutput<Loss>;
  /** Factor of each output's loss in the total; 1 by default. */
  readonly lossWeights?: Readonly<Record<string, number>> | undefined;
  /** Followed beside the loss; every sample counts alike. */
  readonly metrics?: PerOutput<readonly Metric[]> | undefined;
  /** Followed beside the loss; samples count by their weights. */
  readonly weightedMetrics?: PerOutput<readonly Metric[]> | undefined;
}

/** A metric of one output. */
export interface OutputMetric {
  /** Name under which it is reported. */
  readonly name: string;
  readonly meter: Meter;
  readonly isWeighted: boolean;
}

/** What one output of a model is trained for. */
export interface OutputObjective {
  /** The layer that gives the output. */
  readonly output: string;
  /** Its place in the model's outputs. */
  readonly index: number;
  /** Shape of one sample's prediction. */
  readonly shape: readonly number[];
  /** Shape of one sample's target. */
  readonly targetShape: readonly number[];
  /** Whether the targets are class numbers (int32) instead of values of the prediction's shape. */
  readonly classes: boolean;
  readonly loss: LossConfig;
  /** Factor of the loss in the total. */
  readonly lossWeight: number;
  readonly metrics: readonly OutputMetric[];
}

/** A value that a training reports: its place in the sums of a batch, and what is made of the totals. */
export interface Reading {
  readonly name: string;
  readonly offset: number;
  readonly width: number;
  readonly value: (totals: readonly number[], samples: number) => number;
}

/** What a model is trained for. */
export interface Objective {
  readonly model: ResolvedModel;
  /** The outputs that have a loss, in the order of the model's outputs. */
  readonly outputs: readonly OutputObjective[];
  /** What is reported: the total loss, each output's loss if there are several, the metrics. */
  readonly readings: readonly Reading[];
  /** Number of sums that a batch gives. */
  readonly sumCount: number;
}

/** Whether the gradient over a batch is the sum of the gradients over its parts, so that these can be computed apart. */
export const isSeparable = ({ model, outputs }: Objective): boolean =>
  outputs.every(({ loss }) => isMeanOfSamples(loss)) &&
  model.layers.every(({ activityRegularizer }) => activityRegularizer === undefined);

const isLoss = (value: unknown): value is Loss =>
  typeof value === "string" ||
  (typeof value === "object" && value !== null && typeof (value as Partial<LossConfig>).name === "string");

/** Sorts values by output; one value is meant for every output. */
const perOutput = <Value>(
  given: PerOutput<Value> | undefined,
  isOne: (value: unknown) => value is Value,
  outputs: { readonly names: readonly string[]; readonly what: string },
): ReadonlyMap<string, Value> => {
  if (given === undefined) return new Map();
  if (isOne(given)) return new Map(outputs.names.map((name) => [name, given]));
  for (const name of Object.keys(given)) {
    if (outputs.names.includes(name)) continue;
    throw new LearnError(
      "definition-invalid",
      `${outputs.what} names the output "${name}", but the model's outputs are ${outputs.names.join(", ")}.`,
    );
  }
  return new Map(Object.entries(given));
};

const isMetrics = (value: unknown): value is readonly Metric[] => Array.isArray(value);

const shapeOf = (model: ResolvedModel, name: string): readonly number[] =>
  model.layers.find((layer) => layer.name === name)?.outputShape ?? [];

/** Names within a model with several outputs begin with the output, as in Keras. */
const prefixed = (output: string, name: string, several: boolean): string => (several ? `${output}_${name}` : name);

const metricsOf = (
  configs: readonly MetricConfig[],
  options: {
    readonly output: string;
    readonly several: boolean;
    readonly columns: number;
    readonly isWeighted: boolean;
  },
): OutputMetric[] =>
  configs.map((config) => ({
    name: prefixed(options.output, config.label ?? config.name, options.several),
    meter: meterOf(config, options),
    isWeighted: options.isWeighted,
  }));

const readingsOf = (outputs: readonly OutputObjective[]): Reading[] => {
  const readings: Reading[] = [];
  let offset = 0;
  const add = (name: string, width: number, value: Reading["value"]): void => {
    if (readings.some((reading) => reading.name === name)) {
      throw new LearnError(
        "metric-invalid",
        `Two metrics are named "${name}". Give one of them a \`label\` of its own.`,
      );
    }
    readings.push({ name, offset, width, value });
    offset += width;
  };
  const mean: Reading["value"] = ([total = 0], samples) => total / Math.max(samples, 1);
  add("loss", 1, mean);
  if (outputs.length > 1) for (const { output } of outputs) add(`${output}_loss`, 1, mean);
  for (const { metrics } of outputs) {
    for (const { name, meter } of metrics) add(name, meter.width, (totals, samples) => meter.value(totals, samples));
  }
  return readings;
};

/**
 * Works out what each output is trained for and what is reported.
 * @throws LearnError `loss-invalid`, `metric-invalid` or `definition-invalid` naming what does not fit.
 */
export const parseObjective = (model: ResolvedModel, options: ObjectiveOptions): Objective => {
  const names = model.outputs;
  const several = names.length > 1;
  const losses = perOutput(options.loss, isLoss, { names, what: "loss" });
  const weights = perOutput(options.lossWeights, (value) => typeof value === "number", { names, what: "lossWeights" });
  const metrics = perOutput(options.metrics, isMetrics, { names, what: "metrics" });
  const weighted = perOutput(options.weightedMetrics, isMetrics, { names, what: "weightedMetrics" });
  const outputs = names.flatMap((output, index): OutputObjective[] => {
    const given = losses.get(output);
    if (given === undefined) return [];
    const loss = parseLoss(given);
    const shape = shapeOf(model, output);
    const classes = takesClasses(loss);
    const of = { output, several, columns: shape.at(-1) ?? 1 };
    return [
      {
        output,
        index,
        shape,
        targetShape: targetShapeOf(loss, shape),
        classes,
        loss,
        lossWeight: weights.get(output) ?? 1,
        metrics: [
          ...metricsOf(parseMetrics(metrics.get(output) ?? []), { ...of, isWeighted: false }),
          ...metricsOf(parseMetrics(weighted.get(output) ?? []), { ...of, isWeighted: true }),
        ],
      },
    ];
  });
  if (outputs.length === 0) throw new LearnError("loss-invalid", "No output has a loss. Give one to compile.");
  const readings = readingsOf(outputs);
  const last = readings.at(-1);
  return { model, outputs, readings, sumCount: (last?.offset ?? 0) + (last?.width ?? 0) };
};

/** Values of all readings, by name. */
export const read = (objective: Objective, sums: readonly number[], samples: number): Record<string, number> =>
  Object.fromEntries(
    objective.readings.map(({ name, offset, width, value }) => [
      name,
      value(sums.slice(offset, offset + width), samples),
    ]),
  );
