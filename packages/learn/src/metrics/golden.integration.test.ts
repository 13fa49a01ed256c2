import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { npyHeaderBytes, parseNpyHeader } from "../formats/npy.ts";
import { classificationReport } from "./classification.ts";
import { brierScore, calibrationError, logLoss } from "./probabilities.ts";
import { averagePrecision, multiclassRocAuc, precisionRecallCurve, rocAuc, rocCurve } from "./ranking.ts";
import { regressionReport } from "./regression.ts";

const golden = new URL("../../../../tests/fixtures/golden/", import.meta.url);

/** An array of the fixtures: little-endian int64 or float64. */
const npy = (name: string): number[] => {
  const file = readFileSync(new URL(`metrics/${name}`, golden));
  const headerBytes = npyHeaderBytes(file);
  const { element } = parseNpyHeader(file.subarray(0, headerBytes));
  const values = Uint8Array.from(file.subarray(headerBytes)).buffer;
  return element === "int64" ? Array.from(new BigInt64Array(values), Number) : [...new Float64Array(values)];
};

interface Case {
  readonly name: string;
  readonly values: Readonly<Record<string, number>>;
  readonly confusion: readonly (readonly number[])[];
  readonly perClass: Readonly<Record<"precision" | "recall" | "f1" | "support", readonly number[]>>;
  readonly roc: Readonly<Record<"fpr" | "tpr" | "thresholds", readonly (number | null)[]>>;
  readonly precisionRecall: Readonly<Record<"precision" | "recall" | "thresholds", readonly number[]>>;
  readonly tolerance: number;
}

const manifest = JSON.parse(readFileSync(new URL("metrics/manifest.json", golden), "utf8")) as { cases: Case[] };
const caseOf = (name: string): Case => {
  const found = manifest.cases.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no case ${name}`);
  return found;
};

/** Every figure that the fixture holds is computed, and none is off by more than its tolerance. */
const expectAll = (computed: Readonly<Record<string, number | null | undefined>>, expected: Case): void => {
  expect(Object.keys(computed).sort()).toEqual(Object.keys(expected.values).sort());
  for (const [name, value] of Object.entries(expected.values)) {
    expect(Math.abs((computed[name] ?? Number.NaN) - value), name).toBeLessThanOrEqual(expected.tolerance);
  }
};

const expectSeries = (computed: readonly number[], expected: readonly (number | null)[]): void => {
  expect(computed).toHaveLength(expected.length);
  for (const [i, value] of expected.entries()) {
    if (value === null) expect(computed[i]).toBe(Number.POSITIVE_INFINITY);
    else expect(Math.abs((computed[i] ?? Number.NaN) - value)).toBeLessThanOrEqual(1e-9);
  }
};

describe("evaluation figures beside scikit-learn's", () => {
  it("agree on a binary classifier with tied scores, curves included", () => {
    const expected = caseOf("binary");
    const [truth, scores] = [npy("binary.true.npy"), npy("binary.score.npy")];
    const probabilities = scores.flatMap((score) => [1 - score, score]);
    // At the threshold of 0.5 the positive class wins.
    const decisions = scores.flatMap((score) => (score >= 0.5 ? [0, 1] : [1, 0]));
    const report = classificationReport({ trueClasses: truth, scores: decisions, classes: 2, topK: null });
    const positive = report.perClass[1];
    const input = { trueClasses: truth, probabilities, classes: 2 };
    expectAll(
      {
        accuracy: report.accuracy,
        balancedAccuracy: report.balancedAccuracy,
        precision: positive?.precision,
        recall: positive?.recall,
        f1: positive?.f1,
        rocAuc: rocAuc({ truth, scores }),
        averagePrecision: averagePrecision({ truth, scores }),
        logLoss: logLoss(input, 1e-7),
        brier: brierScore(input),
        mcc: report.matthewsCorrelation,
        kappa: report.cohenKappa,
        ece10: calibrationError(truth, scores, 10),
      },
      expected,
    );
    expect(report.confusion).toEqual(expected.confusion);
    const roc = rocCurve({ truth, scores });
    expectSeries(roc?.falsePositiveRate ?? [], expected.roc.fpr);
    expectSeries(roc?.truePositiveRate ?? [], expected.roc.tpr);
    expectSeries(roc?.thresholds ?? [], expected.roc.thresholds);
    const curve = precisionRecallCurve({ truth, scores });
    expectSeries(curve?.precision ?? [], expected.precisionRecall.precision);
    expectSeries(curve?.recall ?? [], expected.precisionRecall.recall);
    expectSeries(curve?.thresholds ?? [], expected.precisionRecall.thresholds);
  });

  it("agree on a classifier of five classes, one of which is never predicted", () => {
    const expected = caseOf("multiclass");
    const [trueClasses, scores] = [npy("multiclass.true.npy"), npy("multiclass.score.npy")];
    const report = classificationReport({ trueClasses, scores, classes: 5, topK: 3 });
    const areas = multiclassRocAuc({ trueClasses, scores, classes: 5 });
    const averages = (["macro", "micro", "weighted"] as const).flatMap((name) =>
      (["precision", "recall", "f1"] as const).map((figure) => [`${figure}_${name}`, report[name][figure]] as const),
    );
    expectAll(
      {
        accuracy: report.accuracy,
        balancedAccuracy: report.balancedAccuracy,
        mcc: report.matthewsCorrelation,
        kappa: report.cohenKappa,
        logLoss: logLoss({ trueClasses, probabilities: scores, classes: 5 }),
        top3: report.topK?.accuracy,
        rocAucOvrMacro: areas?.ovrMacro,
        rocAucOvrWeighted: areas?.ovrWeighted,
        rocAucOvo: areas?.ovoMacro,
        ...Object.fromEntries(averages),
      },
      expected,
    );
    expect(report.confusion).toEqual(expected.confusion);
    for (const figure of ["precision", "recall", "f1", "support"] as const) {
      expectSeries(
        report.perClass.map((each) => each[figure]),
        expected.perClass[figure],
      );
    }
  });

  it("agree on a regressor", () => {
    const report = regressionReport({
      trueValues: npy("regression.true.npy"),
      predictedValues: npy("regression.predicted.npy"),
    });
    expectAll(
      {
        mse: report.meanSquaredError,
        rmse: report.rootMeanSquaredError,
        mae: report.meanAbsoluteError,
        r2: report.r2,
        explainedVariance: report.explainedVariance,
        medianAbsoluteError: report.medianAbsoluteError,
        maxError: report.maxError,
        mape: report.meanAbsolutePercentageError,
      },
      caseOf("regression"),
    );
  });
});

/** Figures of three small data sets that scikit-learn computed, with a three-way tie and a class that is never right. */
describe("evaluation figures of small data", () => {
  type Reference = Readonly<Record<string, unknown>>;
  const reference = JSON.parse(
    readFileSync(new URL("reference.json", golden), "utf8").replaceAll("Infinity", "null"),
  ) as Reference;
  const series = (name: string): number[] => reference[name] as number[];

  it("agree for four classes, one of which is never predicted rightly", () => {
    const trueClasses = [0, 0, 1, 1, 2, 2, 2, 0, 1, 2, 3];
    const predicted = [0, 1, 1, 1, 2, 0, 2, 0, 2, 2, 0];
    const scores = predicted.flatMap((winner) => [0, 1, 2, 3].map((c) => (c === winner ? 1 : 0)));
    const report = classificationReport({ trueClasses, scores, classes: 4, topK: null });
    expect(report.confusion).toEqual(reference["cm"]);
    for (const name of ["macro", "micro", "weighted"] as const) {
      const { precision, recall, f1 } = report[name];
      expectSeries([precision, recall, f1], series(`prf_${name}`));
    }
    const { accuracy, balancedAccuracy, matthewsCorrelation, cohenKappa } = report;
    expectSeries([accuracy, balancedAccuracy, matthewsCorrelation, cohenKappa], series("acc_bal_mcc_kappa"));
  });

  it("agree for two classes with a three-way tie", () => {
    const truth = [0, 0, 1, 1, 0, 1, 0, 1, 1, 0];
    const scores = [0.1, 0.4, 0.35, 0.8, 0.4, 0.9, 0.2, 0.4, 0.7, 0.6];
    const input = { trueClasses: truth, probabilities: scores.flatMap((p) => [1 - p, p]), classes: 2 };
    const figures = [rocAuc({ truth, scores }), averagePrecision({ truth, scores }), brierScore(input), logLoss(input)];
    expectSeries(
      figures.map((figure) => figure ?? Number.NaN),
      series("auc_ap_brier_ll"),
    );
    const roc = rocCurve({ truth, scores });
    const [fpr = [], tpr = [], thresholds = []] = reference["roc"] as (number | null)[][];
    expectSeries(roc?.falsePositiveRate ?? [], fpr);
    expectSeries(roc?.truePositiveRate ?? [], tpr);
    expectSeries(roc?.thresholds ?? [], thresholds);
    expect(calibrationError(truth, scores)).toBeCloseTo(Number(reference["ece10"]), 12);
  });
});

describe("evaluation figures at their limits", () => {
  it("follow scikit-learn where a denominator is zero", () => {
    const constant = { trueValues: [2, 2, 2], predictedValues: [2, 2, 2] };
    expect(regressionReport(constant)).toMatchObject({ r2: 1, explainedVariance: 1, meanAbsolutePercentageError: 0 });
    expect(regressionReport({ trueValues: [2, 2], predictedValues: [1, 2] })).toMatchObject({ r2: 0 });
    expect(regressionReport({ trueValues: [3, 0], predictedValues: [3, 1] }).meanAbsolutePercentageError).toBe(
      1 / Number.EPSILON / 2,
    );
    expect(regressionReport({ trueValues: [3], predictedValues: [3] }).r2).toBeNull();
    const one = classificationReport({ trueClasses: [0, 0], scores: [1, 0, 1, 0], classes: 2, topK: null });
    expect(one).toMatchObject({ cohenKappa: 0, matthewsCorrelation: 0, balancedAccuracy: 1 });
    expect(one.perClass[1]).toEqual({ precision: 0, recall: 0, f1: 0, support: 0 });
    expect(rocAuc({ truth: [1, 1], scores: [0.2, 0.3] })).toBeNull();
    expect(averagePrecision({ truth: [0, 0], scores: [0.2, 0.3] })).toBeNull();
    expect(multiclassRocAuc({ trueClasses: [0, 1], scores: [1, 0, 0, 0, 1, 0], classes: 3 })).toBeNull();
  });

  it("give the area under the curve as the share of pairs in the right order, ties counting half", () => {
    const row = fc.record({ truth: fc.integer({ min: 0, max: 1 }), score: fc.integer({ min: 0, max: 9 }) });
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 40 }), (rows) => {
        const [positives, negatives] = [
          rows.filter(({ truth }) => truth === 1),
          rows.filter(({ truth }) => truth === 0),
        ];
        const wins = positives.flatMap((p) =>
          negatives.map((n) => (p.score > n.score ? 1 : p.score === n.score ? 0.5 : 0)),
        );
        const area = rocAuc({ truth: rows.map(({ truth }) => truth), scores: rows.map(({ score }) => score) });
        if (wins.length === 0) return area === null;
        const share = wins.reduce<number>((sum, win) => sum + win, 0) / wins.length;
        return area !== null && Math.abs(area - share) < 1e-12;
      }),
    );
  });
});
