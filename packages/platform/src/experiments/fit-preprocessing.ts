import {
  featureTransform,
  fitSteps,
  type FittedValueStep,
  LearnError,
  mannersOf,
  type ModelDefinition,
  parseDefinition,
  withPreprocessing,
} from "@modelyard/learn";
import type { TrainingData } from "./load-training-data.ts";
import type { TrainingPlan } from "./plan-training.ts";

/**
 * Refuses rows with missing values that no step fills: they would make the loss NaN.
 * @throws LearnError `preprocessing-invalid` naming column, rows and the step to add.
 */
export const checkMissing = (plan: TrainingPlan, split: string, { x, rows }: TrainingData): void => {
  if (plan.input.kind === "image") return;
  const { lanes } = plan;
  for (const [at, lane] of lanes.entries()) {
    if (mannersOf(plan.valueSteps, at).missing !== "error") continue;
    let missing = 0;
    for (let i = at; i < x.values.length; i += lanes.length) if (Number.isNaN(x.values[i])) missing++;
    if (missing === 0) continue;
    const strategy = lane.kind === "number" ? "mean" : "most_frequent";
    throw new LearnError(
      "preprocessing-invalid",
      `"${lane.name}" has ${missing} missing values in the ${rows} ${split} rows. Add {"step": "impute", "columns": ["${lane.name}"], "strategy": "${strategy}"} to \`preprocessing\`, or leave the column out of \`features\`.`,
    );
  }
};

/**
 * Fits the run's steps on the training rows alone.
 * @throws LearnError `preprocessing-invalid` when values are missing that no step fills.
 */
export const fitPreprocessing = (
  plan: TrainingPlan,
  data: { readonly train: TrainingData; readonly validation: TrainingData },
): FittedValueStep[] => {
  checkMissing(plan, "train", data.train);
  checkMissing(plan, "validation", data.validation);
  return fitSteps(plan.valueSteps, plan.lanes, data.train.x);
};

/** The network with its preprocessing in front: what training, evaluation and serving all run. */
export const preprocessedDefinition = (plan: TrainingPlan, fitted: readonly FittedValueStep[]): ModelDefinition => {
  const network = parseDefinition(plan.definition);
  if (fitted.length === 0) return network;
  return withPreprocessing(network, plan.rawShape, featureTransform(fitted, plan.lanes));
};
