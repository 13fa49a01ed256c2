import { ClassificationEvaluation } from "@modelyard/contracts";
import { describe, expect, it } from "vitest";
import { formatEvaluation } from "./evaluation.ts";

const average = { precision: 0.75, recall: 0.75, f1: 0.75 };

/** What the first version of the artefact held. */
const old = {
  kind: "classification",
  split: "test",
  rows: 4,
  loss: 0.5,
  accuracy: 0.75,
  balancedAccuracy: 0.75,
  topK: null,
  macro: average,
  micro: average,
  weighted: average,
  perClass: ["no", "yes"].map((label) => ({ label, ...average, support: 2 })),
  confusion: [
    [2, 0],
    [1, 1],
  ],
};

describe("an evaluation as text", () => {
  it("shows figures, classes, confusion matrix, curves and slices", () => {
    const text = formatEvaluation(
      ClassificationEvaluation.parse({
        ...old,
        rocAuc: 0.875,
        curves: {
          roc: { falsePositiveRate: [0, 0, 1], truePositiveRate: [0, 0.5, 1] },
          precisionRecall: { precision: [0.5, 1, 1], recall: [1, 0.5, 0] },
        },
        slices: [{ column: "port", category: null, rows: 4, figures: { accuracy: 0.75 } }],
      }),
    );
    expect(text).toContain("Evaluation on 4 test rows: loss 0.5000, accuracy 0.7500");
    expect(text).toContain("ROC AUC 0.8750");
    expect(text).toMatch(/true by false positive rate\s+▅+█\n/);
    expect(text).toMatch(/precision by recall\s+█+▅+\n/);
    expect(text).toMatch(/port\s+–\s+4\s+0\.7500/);
  });

  it("shows an evaluation that was stored before there were so many figures", () => {
    const text = formatEvaluation(old as Parameters<typeof formatEvaluation>[0]);
    expect(text).toContain("accuracy 0.7500, balanced accuracy 0.7500\n");
    expect(text).toContain("Confusion matrix");
    expect(text).not.toContain("ROC");
    expect(formatEvaluation(ClassificationEvaluation.parse(old))).toBe(text);
  });
});
