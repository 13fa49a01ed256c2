import type { FittedValueStep, Lane } from "./step.ts";

/** One value per lane; `null` stands for NaN, which JSON lacks. */
type LaneValues = readonly (number | null)[];

/** Fitted steps as arithmetic on the whole last axis: lanes that a step leaves alone get neutral constants. */
export interface FeatureTransform {
  readonly operations: readonly (
    | { readonly operator: "impute"; readonly fill: LaneValues }
    | { readonly operator: "standardise"; readonly mean: readonly number[]; readonly deviation: readonly number[] }
    | { readonly operator: "scale"; readonly scale: readonly number[]; readonly offset: readonly number[] }
  )[];
  /** Lane of each output, and the category index that it stands for; `null` passes the lane on. */
  readonly outputs: readonly { readonly lane: number; readonly category: number | "unseen" | null }[];
}

const operationOf = (
  step: Exclude<FittedValueStep, { step: "one_hot" }>,
  lanes: readonly Lane[],
): FeatureTransform["operations"][number] => {
  const spread = <Value>(valueOf: (index: number, lane: Lane) => Value, neutral: Value): Value[] =>
    lanes.map((lane) => {
      const index = step.columns.indexOf(lane.name);
      return index < 0 ? neutral : valueOf(index, lane);
    });
  switch (step.step) {
    case "scale":
      return { operator: "scale", scale: spread(() => step.scale, 1), offset: spread(() => step.offset, 0) };
    case "standardise":
      return {
        operator: "standardise",
        mean: spread((index) => step.mean[index] ?? 0, 0),
        deviation: spread((index) => Math.sqrt(step.variance[index] ?? 1), 1),
      };
    case "impute":
      return {
        operator: "impute",
        fill: spread<number | null>((index, lane) => {
          const fill = step.fill[index] ?? null;
          return lane.kind === "category" ? lane.categories.indexOf(String(fill)) : Number(fill);
        }, null),
      };
  }
};

const outputsOf = (steps: readonly FittedValueStep[], lanes: readonly Lane[]): FeatureTransform["outputs"] =>
  lanes.flatMap((lane, at): FeatureTransform["outputs"] => {
    for (const step of steps) {
      const index = step.step === "one_hot" ? step.columns.indexOf(lane.name) : -1;
      if (step.step !== "one_hot" || index < 0) continue;
      const unseen = step.unseen[index] ?? [];
      return (step.categories[index] ?? []).map((category, number) => ({
        lane: at,
        category: unseen.includes(category) ? "unseen" : number,
      }));
    }
    return [{ lane: at, category: null }];
  });

/** Works out the arithmetic of fitted steps over the lanes of a raw input. */
export const featureTransform = (steps: readonly FittedValueStep[], lanes: readonly Lane[]): FeatureTransform => ({
  operations: steps.flatMap((step) => (step.step === "one_hot" ? [] : [operationOf(step, lanes)])),
  outputs: outputsOf(steps, lanes),
});
