import { emitOneHot } from "../../losses/index.ts";
import type { GraphBuilder } from "../../onnx/builder.ts";
import type { Value } from "../../onnx/graph.ts";
import type { countNames, MetricConfig } from "./config.ts";
import { listed, type Meter, type MetricInput, share, sumOfAll, weighted } from "./meter.ts";

type Of<Name extends MetricConfig["name"]> = MetricConfig & { readonly name: Name };

/** Targets as numbers of the prediction's shape: class numbers become one-hot rows. */
const rows = (builder: GraphBuilder, { prediction, target, classes }: MetricInput): Value =>
  classes && prediction.shape.at(-1) !== 1
    ? emitOneHot(builder, target, prediction)
    : reshapedLike(builder, builder.cast(target, "float32"), prediction);

const reshapedLike = (builder: GraphBuilder, value: Value, like: Value): Value =>
  value.shape.length === like.shape.length ? value : builder.apply("Unsqueeze", [value, builder.integers([-1])]);

const number = (builder: GraphBuilder, condition: Value): Value => builder.cast(condition, "float32");

const above = (builder: GraphBuilder, x: Value, threshold: number): Value =>
  number(builder, builder.apply("Greater", [x, builder.scalarLike(x, threshold)]));

const product = (builder: GraphBuilder, a: Value, b: Value): Value => builder.apply("Mul", [a, b]);

const not = (builder: GraphBuilder, x: Value): Value => builder.apply("Sub", [builder.scalarLike(x, 1), x]);

/** The values of one class, as [batch, …, 1]. */
const ofClass = (builder: GraphBuilder, x: Value, classId: number | undefined): Value =>
  classId === undefined ? x : builder.apply("Gather", [x, builder.integers([classId])], { attributes: { axis: -1 } });

type Count = "true_positives" | "false_positives" | "true_negatives" | "false_negatives";

const neededCounts: Readonly<Record<(typeof countNames)[number], readonly Count[]>> = {
  precision: ["true_positives", "false_positives"],
  recall: ["true_positives", "false_negatives"],
  true_positives: ["true_positives"],
  false_positives: ["false_positives"],
  true_negatives: ["true_negatives"],
  false_negatives: ["false_negatives"],
};

/** Decisions at a threshold, counted; precision and recall as the share of the first count in both. */
export const countMeter = (config: Of<(typeof countNames)[number]>): Meter => {
  const counts = neededCounts[config.name];
  return {
    width: counts.length,
    emit: (builder, input) => {
      const truth = above(builder, ofClass(builder, rows(builder, input), config.classId), 0);
      const given = above(builder, ofClass(builder, input.prediction, config.classId), config.threshold ?? 0.5);
      const both: Record<Count, () => Value> = {
        true_positives: () => product(builder, truth, given),
        false_positives: () => product(builder, not(builder, truth), given),
        true_negatives: () => product(builder, not(builder, truth), not(builder, given)),
        false_negatives: () => product(builder, truth, not(builder, given)),
      };
      const sums = counts.map((count) => sumOfAll(builder, weighted(builder, both[count](), input.weight)));
      return listed(builder, sums);
    },
    value: ([first = 0, second]) => (second === undefined ? first : share(first, first + second)),
  };
};

/** Sums over all axes but the last: [length of the last axis]. */
const sumPerColumn = (builder: GraphBuilder, x: Value): Value => {
  const axes = x.shape.map((_, axis) => axis).slice(0, -1);
  return builder.apply("ReduceSum", [x, builder.integers(axes)], { attributes: { keepdims: 0 } });
};

/** Harmonic mean of precision and recall of each class, averaged. Source: keras/src/metrics/f_score_metrics.py. */
export const f1Meter = (config: Of<"f1_score">, columns: number): Meter => ({
  width: 3 * columns,
  emit: (builder, input) => {
    const { prediction } = input;
    const truth = rows(builder, input);
    const given =
      config.threshold === undefined
        ? emitOneHot(
            builder,
            builder.apply("ArgMax", [prediction], { attributes: { axis: -1, keepdims: 0 } }),
            prediction,
          )
        : above(builder, prediction, config.threshold);
    const counts = [
      product(builder, truth, given),
      product(builder, not(builder, truth), given),
      product(builder, truth, not(builder, given)),
    ];
    return listed(
      builder,
      counts.map((count) => sumPerColumn(builder, weighted(builder, count, input.weight))),
    );
  },
  value: (totals) => {
    const column = (kind: number, index: number): number => totals[kind * columns + index] ?? 0;
    const indices = Array.from({ length: columns }, (_, index) => index);
    const total = (kind: number): number => indices.reduce((sum, index) => sum + column(kind, index), 0);
    const score = (tp: number, fp: number, fn: number): number => share(2 * tp, 2 * tp + fp + fn);
    if (config.average === "micro") return score(total(0), total(1), total(2));
    const scores = indices.map((index) => score(column(0, index), column(1, index), column(2, index)));
    const support = indices.map((index) => (config.average === "weighted" ? column(0, index) + column(2, index) : 1));
    const all = support.reduce((sum, one) => sum + one, 0);
    return share(
      scores.reduce((sum, one, index) => sum + one * (support[index] ?? 0), 0),
      all,
    );
  },
});

/** Mean over the classes of intersection over union; classes that nobody named are left out. Source: keras/src/metrics/iou_metrics.py. */
export const meanIouMeter = (columns: number): Meter => ({
  width: 3 * columns,
  emit: (builder, input) => {
    const { prediction } = input;
    const truth = rows(builder, input);
    const winner = builder.apply("ArgMax", [prediction], { attributes: { axis: -1, keepdims: 0 } });
    const given = emitOneHot(builder, winner, prediction);
    return listed(
      builder,
      [product(builder, truth, given), truth, given].map((count) =>
        sumPerColumn(builder, weighted(builder, count, input.weight)),
      ),
    );
  },
  value: (totals) => {
    const ratios = Array.from({ length: columns }, (_, index) => {
      const [common = 0, truth = 0, given = 0] = [0, 1, 2].map((kind) => totals[kind * columns + index] ?? 0);
      const union = truth + given - common;
      return union === 0 ? undefined : common / union;
    }).filter((ratio) => ratio !== undefined);
    return share(
      ratios.reduce((sum, ratio) => sum + ratio, 0),
      ratios.length,
    );
  },
});

/** 1 − Σ(y − ŷ)² / Σ(y − mean)², the mean over the outputs. Source: keras/src/metrics/regression_metrics.py, `R2Score`. */
export const r2Meter = (columns: number, isWeighted: boolean): Meter => ({
  width: 3 * columns + (isWeighted ? 1 : 0),
  emit: (builder, input) => {
    const truth = rows(builder, input);
    const error = builder.apply("Sub", [truth, input.prediction]);
    const sums = [truth, product(builder, truth, truth), product(builder, error, error)].map((x) =>
      sumPerColumn(builder, weighted(builder, x, input.weight)),
    );
    return listed(builder, input.weight === undefined ? sums : [...sums, sumOfAll(builder, input.weight)]);
  },
  value: (totals, samples) => {
    const count = totals[3 * columns] ?? samples;
    const scores = Array.from({ length: columns }, (_, index) => {
      const [sum = 0, squares = 0, errors = 0] = [0, 1, 2].map((kind) => totals[kind * columns + index] ?? 0);
      const spread = squares - (sum * sum) / count;
      return spread === 0 ? 0 : 1 - errors / spread;
    });
    return share(
      scores.reduce((sum, one) => sum + one, 0),
      columns,
    );
  },
});
