import { describe, expect, test } from "vitest";
import { GraphBuilder } from "../../onnx/builder.ts";
import { encodeModel } from "../../onnx/encode.ts";
import { onnxRuntimeExecutor } from "../../onnxruntime-node/index.ts";
import { createRandom } from "../../random.ts";
import type { TensorData } from "../executor.ts";
import { type Metric, meterOf, metricNames, parseMetrics } from "./index.ts";

const executor = onnxRuntimeExecutor({ intraOpNumThreads: 1 });

interface Case {
  readonly prediction: readonly (readonly number[])[];
  /** Class numbers, or rows. */
  readonly target: readonly number[] | readonly (readonly number[])[];
  readonly weights?: readonly number[];
  /** Samples of each batch; all at once by default. */
  readonly batches?: readonly number[];
}

const floats = (rows: readonly (readonly number[])[]): TensorData => ({
  dtype: "float32",
  shape: [rows.length, rows[0]?.length ?? 0],
  values: Float32Array.from(rows.flat()),
});

/** The metric's value, its sums taken batch by batch. */
const measured = async (metric: Metric, given: Case): Promise<number> => {
  const [config] = parseMetrics([metric]);
  if (config === undefined) throw new Error("no metric");
  const columns = given.prediction[0]?.length ?? 1;
  const classes = !Array.isArray(given.target[0]);
  const meter = meterOf(config, { columns, isWeighted: given.weights !== undefined });
  const builder = new GraphBuilder();
  const prediction = builder.input("p", "float32", ["N", columns]);
  const target = builder.input("y", classes ? "int32" : "float32", classes ? ["N"] : ["N", columns]);
  const weight = given.weights && builder.input("w", "float32", ["N"]);
  const sums = meter.emit(builder, { prediction, target, classes, weight });
  await using session = await executor.load(encodeModel(builder.finish("metric", { sums })));
  const totals = Array.from({ length: meter.width }, () => 0);
  let first = 0;
  for (const length of given.batches ?? [given.prediction.length]) {
    const rows = <Row>(all: readonly Row[]): readonly Row[] => all.slice(first, first + length);
    const labels = rows<number | readonly number[]>(given.target);
    const feeds: Record<string, TensorData> = {
      p: floats(rows(given.prediction)),
      y: classes
        ? { dtype: "int32", shape: [length], values: Int32Array.from(labels as readonly number[]) }
        : floats(labels as readonly (readonly number[])[]),
    };
    if (given.weights)
      feeds["w"] = { dtype: "float32", shape: [length], values: Float32Array.from(rows(given.weights)) };
    const result = await session.run(feeds);
    expect(result["sums"]?.values.length).toBe(meter.width);
    for (const i of totals.keys()) totals[i] = (totals[i] ?? 0) + Number(result["sums"]?.values[i]);
    first += length;
  }
  return meter.value(totals, first);
};

const column = (values: readonly number[]): number[][] => values.map((value) => [value]);
const scores = { prediction: column([0, 0.5, 0.3, 0.9]), target: column([0, 0, 1, 1]) };
/** Nine samples of three classes: 5 right, of which class 2 has none wrong. */
const classes: Case = {
  prediction: [0, 0, 1, 1, 2, 2, 0, 1, 2].map((winner, i) =>
    [0, 1, 2].map((k) => (k === winner ? 0.5 + i / 100 : 0.2 + k / 100)),
  ),
  target: [0, 0, 0, 1, 2, 2, 1, 2, 1],
};
const oneHot: Case = { ...classes, target: classes.target.map((c) => [0, 1, 2].map((k) => (k === c ? 1 : 0))) };
const regression = { prediction: column([2.5, 0, 2, 8]), target: column([3, -0.5, 2, 7]) };

describe("metrics are those of Keras and scikit-learn", () => {
  test.each<[string, Metric, Case, number]>([
    ["the area over three thresholds of Keras' own example", { name: "auc", numThresholds: 3 }, scores, 0.75],
    ["the exact area where thresholds part all scores", "auc", scores, 0.75],
    ["precision at 0.5", "precision", scores, 1],
    ["precision at 0.2", { name: "precision", threshold: 0.2 }, scores, 2 / 3],
    ["recall at 0.5", "recall", scores, 0.5],
    ["false positives at 0.4", { name: "false_positives", threshold: 0.4 }, scores, 1],
    ["true negatives at 0.4", { name: "true_negatives", threshold: 0.4 }, scores, 1],
    ["false negatives at 0.4", { name: "false_negatives", threshold: 0.4 }, scores, 1],
    ["true positives at 0.4", { name: "true_positives", threshold: 0.4 }, scores, 1],
    ["precision with nothing found", { name: "precision", threshold: 1 }, scores, 0],
    ["binary accuracy, which accuracy is for one output", "accuracy", scores, 0.75],
    ["binary accuracy at 0.2", { name: "binary_accuracy", threshold: 0.2 }, scores, 0.75],
    ["accuracy of class numbers", "accuracy", classes, 5 / 9],
    ["accuracy of one-hot rows", "acc", oneHot, 5 / 9],
    ["categorical accuracy", "categorical_accuracy", oneHot, 5 / 9],
    ["sparse categorical accuracy", "sparse_categorical_accuracy", classes, 5 / 9],
    ["the true class among the two largest", { name: "sparse_top_k_categorical_accuracy", k: 2 }, classes, 7 / 9],
    ["the true class among the two largest, one-hot", { name: "top_k_categorical_accuracy", k: 2 }, oneHot, 7 / 9],
    ["precision of one class of several", { name: "precision", classId: 2, threshold: 0.45 }, oneHot, 2 / 3],
    // scikit-learn: f1_score([0,0,0,1,2,2,1,2,1], [0,0,1,1,2,2,0,1,2], average=…)
    ["macro F1", "f1_score", classes, (2 / 3 + 1 / 3 + 2 / 3) / 3],
    ["micro F1", { name: "f1_score", average: "micro" }, classes, 5 / 9],
    ["weighted F1", { name: "f1_score", average: "weighted" }, oneHot, (2 / 3 + 1 / 3 + 2 / 3) / 3],
    ["mean intersection over union", "mean_iou", classes, (2 / 4 + 1 / 5 + 2 / 4) / 3],
    ["root mean squared error", "rmse", regression, Math.sqrt(0.375)],
    ["R², as scikit-learn documents it", "r2_score", regression, 0.948_608_137],
    ["mean squared error", "mse", regression, 0.375],
    ["mean absolute error", "mae", regression, 0.5],
    [
      "cosine similarity, positive unlike its loss",
      "cosine_similarity",
      { prediction: [[3, 4]], target: [[4, 3]] },
      0.96,
    ],
    ["hinge", "hinge", { prediction: column([0.5, -2]), target: column([1, -1]) }, 0.25],
    ["cross-entropy", "sparse_categorical_crossentropy", { prediction: [[0.25, 0.75]], target: [1] }, -Math.log(0.75)],
  ])("%s", async (_, metric, given, expected) => {
    expect(await measured(metric, given)).toBeCloseTo(expected, 6);
  });

  const random = createRandom(3);
  const many: Case = {
    prediction: column(Array.from({ length: 500 }, () => random.uniform())),
    target: column(Array.from({ length: 500 }, () => (random.uniform() < 0.4 ? 1 : 0))),
    weights: Array.from({ length: 500 }, () => random.integerBelow(3)),
  };

  /** Share of pairs of a positive and a negative that are in order, weighted. */
  const pairArea = (): number => {
    let [ordered, all] = [0, 0];
    many.prediction.forEach(([p = 0], i) => {
      many.prediction.forEach(([q = 0], j) => {
        if (many.target[i]?.[0 as never] !== 1 || many.target[j]?.[0 as never] !== 0) return;
        const pair = (many.weights?.[i] ?? 0) * (many.weights?.[j] ?? 0);
        all += pair;
        ordered += p > q ? pair : p === q ? pair / 2 : 0;
      });
    });
    return ordered / all;
  };

  test("with many thresholds the area comes near the share of ordered pairs, weights included", async () => {
    expect(await measured({ name: "auc", numThresholds: 4000 }, many)).toBeCloseTo(pairArea(), 3);
  });

  test("the area under precision and recall lies between its lower and its upper sum", async () => {
    const [low, middle, high] = await Promise.all(
      (["minoring", "interpolation", "majoring"] as const).map((summationMethod) =>
        measured({ name: "auc", curve: "PR", summationMethod }, many),
      ),
    );
    expect(middle).toBeGreaterThan(low ?? NaN);
    expect(middle).toBeLessThan(high ?? NaN);
  });

  test("a weight of 2 counts a sample twice, and one of 0 not at all", async () => {
    const repeated = classes.prediction.flatMap((row, i) => Array.from({ length: i % 3 }, () => row));
    const labels = (classes.target as readonly number[]).flatMap((c, i) => Array.from({ length: i % 3 }, () => c));
    const weights = classes.prediction.map((_, i) => i % 3);
    for (const metric of ["accuracy", "f1_score", "mean_iou", "sparse_categorical_crossentropy"] as const) {
      const twice = await measured(metric, { prediction: repeated, target: labels });
      expect(await measured(metric, { ...classes, weights })).toBeCloseTo(twice, 6);
    }
  });
});

test("every metric's value over an epoch is the same, however the samples fall into batches", async () => {
  for (const name of metricNames) {
    const sparse = /^sparse_|generalized/.test(name);
    const given = sparse ? classes : oneHot;
    const whole = await measured(name, given);
    const parts = await measured(name, { ...given, batches: [4, 4, 1] });
    expect([name, parts / whole || 0]).toEqual([name, whole === 0 ? 0 : expect.closeTo(1, 5)]);
  }
});

test("metrics that do not exist or do not suit the targets are refused", async () => {
  expect(() => parseMetrics(["accurracy"])).toThrow(/accurracy.*Known metrics: accuracy/);
  expect(() => parseMetrics(["dice"])).toThrow(/dice/);
  expect(() => parseMetrics([{ name: "auc", thresholds: 3 }])).toThrow(/thresholds/);
  await expect(measured("mean_squared_error", classes)).rejects.toThrow(/targets are class numbers/);
});
