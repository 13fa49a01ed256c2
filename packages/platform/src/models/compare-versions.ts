import type { Comparison, Evaluation } from "@modelyard/contracts";
import type { z } from "zod";
import { type StoredModelVersion, toModelVersion } from "./model-version.ts";

type Change = z.infer<typeof Comparison>["changes"][number];
type Figures = Readonly<Record<string, number>>;

const changesMax = 200;

/** The single figures of an evaluation, by name. */
const figuresOf = (evaluation: Evaluation | null): Figures => {
  if (evaluation === null) return {};
  const figures: Record<string, number> = {};
  for (const [name, value] of Object.entries(evaluation)) {
    if (typeof value === "number" && name !== "rows") figures[name] = value;
  }
  if (evaluation.kind === "classification") {
    const { macro, weighted } = evaluation;
    figures["macroPrecision"] = macro.precision;
    figures["macroRecall"] = macro.recall;
    figures["macroF1"] = macro.f1;
    figures["weightedF1"] = weighted.f1;
    if (evaluation.topK !== null) figures[`top${evaluation.topK.k}Accuracy`] = evaluation.topK.accuracy;
  }
  for (const slice of evaluation.slices ?? []) {
    for (const [name, value] of Object.entries(slice.figures)) {
      figures[`${name} (${slice.column} ${slice.category === null ? "missing" : `= ${slice.category}`})`] = value;
    }
  }
  return figures;
};

const isBranch = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

const differences = (a: unknown, b: unknown, path: string): Change[] => {
  if (isBranch(a) && isBranch(b)) {
    const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])];
    return keys.flatMap((key) => differences(a[key], b[key], path === "" ? key : `${path}.${key}`));
  }
  return JSON.stringify(a) === JSON.stringify(b) ? [] : [{ path, a: a ?? null, b: b ?? null }];
};

/** Sets two versions side by side: figures of their evaluations, and what differs in how they came to be. */
export const compareVersions = (a: StoredModelVersion, b: StoredModelVersion): z.infer<typeof Comparison> => {
  const [left, right] = [figuresOf(a.artefact.evaluation), figuresOf(b.artefact.evaluation)];
  const names = [...new Set([...Object.keys(left), ...Object.keys(right)])];
  const metrics = names.map((name) => {
    const [x = null, y = null] = [left[name], right[name]];
    return { name, a: x, b: y, difference: x === null || y === null ? null : y - x };
  });
  const described = ({ artefact }: StoredModelVersion): unknown => ({
    definition: artefact.definition,
    preprocessing: artefact.preprocessing,
    lineage: artefact.lineage,
  });
  const changes = differences(described(a), described(b), "").slice(0, changesMax);
  return { a: toModelVersion(a), b: toModelVersion(b), metrics, changes };
};
