import { emitOneHot } from "../../losses/index.ts";
import type { GraphBuilder } from "../../onnx/builder.ts";
import type { Value } from "../../onnx/graph.ts";
import type { MetricConfig } from "./config.ts";
import { listed, type Meter, type MetricInput, share, sumOfAll, weighted } from "./meter.ts";

type AucConfig = MetricConfig & { readonly name: "auc" };

const fuzz = 1e-7;
const defaultThresholds = 200;

/** Evenly spaced between 0 and 1; the first and last lie just outside, so that they catch everything and nothing. */
const thresholdsOf = (count: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => (i === 0 ? -fuzz : i === count - 1 ? 1 + fuzz : i / (count - 1)));

/** True and false positives at each threshold, then all positives and all negatives. */
const emitCounts = (builder: GraphBuilder, input: MetricInput, config: AucConfig): Value => {
  const count = config.numThresholds ?? defaultThresholds;
  const { prediction, target, classes } = input;
  const scores = config.fromLogits === true ? builder.apply("Sigmoid", [prediction]) : prediction;
  const labels = classes && prediction.shape.at(-1) !== 1 ? emitOneHot(builder, target, prediction) : target;
  const truth = builder.cast(builder.apply("Greater", [labels, builder.scalarLike(labels, 0)]), "float32");
  const others = builder.apply("Sub", [builder.scalarLike(truth, 1), truth]);
  const row = (x: Value): Value => builder.apply("Reshape", [x, builder.integers([1, -1])]);
  const sides = [truth, others].map((side) => weighted(builder, side, input.weight));
  const column = builder.apply("Reshape", [scores, builder.integers([-1, 1])]);
  const limits = builder.constant({ dtype: "float32", shape: [1, count], values: thresholdsOf(count) });
  const given = builder.cast(builder.apply("Greater", [column, limits]), "float32");
  const positives = builder.apply("MatMul", [
    builder.apply("Concat", sides.map(row), { attributes: { axis: 0 } }),
    given,
  ]);
  const flat = builder.apply("Reshape", [positives, builder.integers([2 * count])]);
  return listed(builder, [flat, ...sides.map((side) => sumOfAll(builder, side))]);
};

interface Counts {
  readonly tp: readonly number[];
  readonly fp: readonly number[];
  readonly positives: number;
  readonly negatives: number;
}

/** Interpolates precision between two points as Davis and Goadrich (2006) do, in the form of Keras. */
const precisionRecallArea = ({ tp, fp, positives }: Counts): number => {
  let area = 0;
  for (let i = 0; i + 1 < tp.length; i++) {
    const [tp0 = 0, tp1 = 0, fp0 = 0, fp1 = 0] = [tp[i], tp[i + 1], fp[i], fp[i + 1]];
    const [p0, p1] = [tp0 + fp0, tp1 + fp1];
    const gained = tp0 - tp1;
    const slope = share(gained, Math.max(p0 - p1, 0));
    const intercept = tp1 - slope * p1;
    const ratio = p0 > 0 && p1 > 0 ? p0 / p1 : 1;
    area += share(slope * (gained + intercept * Math.log(ratio)), positives);
  }
  return area;
};

const heights: Readonly<Record<NonNullable<AucConfig["summationMethod"]>, (a: number, b: number) => number>> = {
  interpolation: (a, b) => (a + b) / 2,
  minoring: (a, b) => Math.min(a, b),
  majoring: (a, b) => Math.max(a, b),
};

const areaOf = (counts: Counts, config: AucConfig): number => {
  const { tp, fp, positives, negatives } = counts;
  const method = config.summationMethod ?? "interpolation";
  if (config.curve === "PR" && method === "interpolation") return precisionRecallArea(counts);
  const recall = tp.map((count) => share(count, positives));
  const precision = tp.map((count, i) => share(count, count + (fp[i] ?? 0)));
  const falseRate = fp.map((count) => share(count, negatives));
  const [x, y] = config.curve === "PR" ? [recall, precision] : [falseRate, recall];
  let area = 0;
  for (let i = 0; i + 1 < x.length; i++) {
    area += ((x[i] ?? 0) - (x[i + 1] ?? 0)) * heights[method](y[i] ?? 0, y[i + 1] ?? 0);
  }
  return area;
};

/**
 * Area under a curve over evenly spaced thresholds; not the exact area that `classificationReport` would give.
 * Source: keras/src/metrics/confusion_metrics.py, `AUC`.
 */
export const aucMeter = (config: AucConfig): Meter => {
  const count = config.numThresholds ?? defaultThresholds;
  return {
    width: 2 * count + 2,
    emit: (builder, input) => emitCounts(builder, input, config),
    value: (totals) => {
      const [positives = 0, negatives = 0] = totals.slice(2 * count);
      const counts = { tp: totals.slice(0, count), fp: totals.slice(count, 2 * count), positives, negatives };
      return areaOf(counts, config);
    },
  };
};
