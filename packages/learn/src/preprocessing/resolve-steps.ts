import { LearnError } from "../errors.ts";
import type { ImputeStrategy, Lane, UnknownCategory, ValueStep } from "./step.ts";

/** A value step whose columns are known to exist and to suit it, as positions among the lanes. */
export type ResolvedStep =
  | { readonly step: "scale"; readonly lanes: readonly number[]; readonly scale: number; readonly offset: number }
  | { readonly step: "standardise"; readonly lanes: readonly number[] }
  | {
      readonly step: "impute";
      readonly lanes: readonly number[];
      readonly strategy: ImputeStrategy;
      readonly fillValue?: number | string | undefined;
    }
  | { readonly step: "one_hot"; readonly lanes: readonly number[]; readonly handleUnknown: UnknownCategory };

const invalid = (message: string): LearnError => new LearnError("preprocessing-invalid", message);

/** Kinds of lane that a step can work on. */
const suits = (step: ValueStep): readonly Lane["kind"][] => {
  if (step.step === "one_hot") return ["category"];
  if (step.step !== "impute" || step.strategy === "mean" || step.strategy === "median") return ["number"];
  if (step.strategy === "most_frequent") return ["number", "category"];
  return [typeof step.fillValue === "string" ? "category" : "number"];
};

const nameOf = (step: ValueStep): string =>
  step.step === "impute" ? `The step impute (${step.strategy})` : `The step ${step.step}`;

const positionsOf = (step: ValueStep, lanes: readonly Lane[]): number[] => {
  const kinds = suits(step);
  const suited = lanes.map((_, at) => at).filter((at) => kinds.includes((lanes[at] as Lane).kind));
  if (step.columns === undefined) {
    if (suited.length > 0) return suited;
    throw invalid(`${nameOf(step)} suits no column: it works on ${kinds.join(" and ")} columns. Leave it out.`);
  }
  return step.columns.map((name) => {
    const at = lanes.findIndex((lane) => lane.name === name);
    if (at < 0) {
      const names = lanes.slice(0, 50).map((lane) => lane.name);
      throw new LearnError(
        "column-unknown",
        `${nameOf(step)} names the column "${name}", which is no feature. Features are: ${names.join(", ")}.`,
      );
    }
    if (suited.includes(at)) return at;
    throw invalid(
      `${nameOf(step)} works on ${kinds.join(" and ")} columns, but "${name}" holds a ${(lanes[at] as Lane).kind}.`,
    );
  });
};

const checkFill = (step: Extract<ValueStep, { step: "impute" }>, lanes: readonly Lane[]): void => {
  const { strategy, fillValue } = step;
  if ((strategy === "constant") !== (fillValue !== undefined)) {
    throw invalid(`${nameOf(step)} ${strategy === "constant" ? "needs a" : "takes no"} fillValue.`);
  }
  for (const lane of lanes) {
    if (lane.kind !== "category" || fillValue === undefined || lane.categories.includes(String(fillValue))) continue;
    throw invalid(
      `${nameOf(step)}: "${lane.name}" has no category ${JSON.stringify(fillValue)}. Known are: ${lane.categories.slice(0, 20).join(", ")}.`,
    );
  }
};

/**
 * Finds the columns that each step works on.
 * @throws LearnError `column-unknown`; `preprocessing-invalid` where a step does not suit a column, or follows the
 *   one-hot step that ended the column.
 */
export const resolveSteps = (steps: readonly ValueStep[], lanes: readonly Lane[]): ResolvedStep[] => {
  const ended = new Set<number>();
  return steps.map((step) => {
    const positions = positionsOf(step, lanes).filter((at) => step.columns !== undefined || !ended.has(at));
    const late = positions.find((at, i) => ended.has(at) || positions.indexOf(at) !== i);
    if (late !== undefined) {
      throw invalid(
        `${nameOf(step)} names "${(lanes[late] as Lane).name}" again, or after its one-hot step. A column's one-hot step is its last.`,
      );
    }
    if (step.step === "impute") {
      checkFill(
        step,
        positions.map((at) => lanes[at] as Lane),
      );
    }
    if (step.step === "one_hot") for (const at of positions) ended.add(at);
    const { columns: _, ...rest } = step;
    return { ...rest, lanes: positions };
  });
};

/** Names of the values that come out of the steps, in order: a column's own, or `column=category` for each category. */
export const outputNames = (steps: readonly ResolvedStep[], lanes: readonly Lane[]): string[] => {
  const encoded = new Set(steps.flatMap((step) => (step.step === "one_hot" ? step.lanes : [])));
  return lanes.flatMap((lane, at) =>
    encoded.has(at) && lane.kind === "category"
      ? lane.categories.map((category) => `${lane.name}=${category}`)
      : [lane.name],
  );
};

/** What happens to a lane's missing and unknown values. */
export interface LaneManners {
  readonly missing: "error" | "impute" | "ignore";
  readonly unknown: "error" | "ignore";
}

/** What the steps do with values that are missing, or that no training row had. */
export const mannersOf = (steps: readonly ResolvedStep[], lane: number): LaneManners => {
  const own = steps.filter((step) => step.lanes.includes(lane));
  const ignores = own.some((step) => step.step === "one_hot" && step.handleUnknown === "ignore");
  const imputes = own.some((step) => step.step === "impute");
  return {
    missing: imputes ? "impute" : ignores ? "ignore" : "error",
    unknown: ignores ? "ignore" : "error",
  };
};
