import { aucMeter } from "./auc.ts";
import type { MetricConfig, SampleLossName } from "./config.ts";
import { countMeter, f1Meter, meanIouMeter, r2Meter } from "./counts.ts";
import { accuracyHits, binaryHits, categoricalHits, lossOf, meanMeter, topKHits } from "./means.ts";
import type { Meter } from "./meter.ts";

export { type Metric, type MetricConfig, metricNames, parseMetrics } from "./config.ts";
export type { Meter } from "./meter.ts";

interface Place {
  /** Length of the output's last axis. */
  readonly columns: number;
  /** Whether the samples' weights count. */
  readonly isWeighted: boolean;
}

type OwnName = Exclude<MetricConfig["name"], SampleLossName>;

const meters: {
  readonly [Name in OwnName]: (config: MetricConfig & { readonly name: Name }, place: Place) => Meter;
} = {
  accuracy: (_, place) => meanMeter(place, accuracyHits),
  categorical_accuracy: (_, place) => meanMeter(place, categoricalHits),
  sparse_categorical_accuracy: (_, place) => meanMeter(place, categoricalHits),
  binary_accuracy: ({ threshold = 0.5 }, place) => meanMeter(place, binaryHits(threshold)),
  top_k_categorical_accuracy: ({ k = 5 }, place) => meanMeter(place, topKHits(k)),
  sparse_top_k_categorical_accuracy: ({ k = 5 }, place) => meanMeter(place, topKHits(k)),
  root_mean_squared_error: (_, place) =>
    meanMeter({ ...place, finish: Math.sqrt }, lossOf({ name: "mean_squared_error" })),
  r2_score: (_, { columns, isWeighted }) => r2Meter(columns, isWeighted),
  mean_iou: (_, { columns }) => meanIouMeter(columns),
  precision: countMeter,
  recall: countMeter,
  true_positives: countMeter,
  false_positives: countMeter,
  true_negatives: countMeter,
  false_negatives: countMeter,
  f1_score: (config, { columns }) => f1Meter(config, columns),
  auc: aucMeter,
};

const isOwn = (name: MetricConfig["name"]): name is OwnName => Object.hasOwn(meters, name);

/** The meter of a metric. Source: keras/src/metrics. */
export const meterOf = (config: MetricConfig, place: Place): Meter => {
  const { name } = config;
  if (isOwn(name)) {
    // The table pairs each name with the meter of its own configuration.
    return (meters[name] as (config: MetricConfig, place: Place) => Meter)(config, place);
  }
  // The loss of similarity is negative, so that it can be made smaller; the metric is not.
  return meanMeter(place, lossOf({ name }, name === "cosine_similarity" ? -1 : 1));
};
