import type { TensorType } from "../tensor.ts";
import { elementwiseInference } from "./elementwise.ts";
import { indexingInference } from "./indexing.ts";
import { layoutInference } from "./layout.ts";
import { linearInference } from "./linear.ts";
import { normalizationInference } from "./normalization.ts";
import { recurrentInference } from "./recurrent.ts";
import { reductionInference } from "./reductions.ts";
import type { InferenceInput, InferenceRule } from "./rule.ts";
import { spatialInference } from "./spatial.ts";

/** Rules by operator. */
export const inferenceRules: ReadonlyMap<string, InferenceRule> = new Map(
  Object.entries({
    ...elementwiseInference,
    ...layoutInference,
    ...indexingInference,
    ...normalizationInference,
    ...recurrentInference,
    ...linearInference,
    ...reductionInference,
    ...spatialInference,
  }),
);

/** Infers the types of a node's outputs; undefined for an operator without a rule. */
export const inferOutputs = (node: InferenceInput): readonly TensorType[] | undefined =>
  inferenceRules.get(node.operator)?.(node);
