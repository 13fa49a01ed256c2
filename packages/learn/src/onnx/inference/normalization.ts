import { integerAttribute } from "../attributes.ts";
import { normaliseAxis } from "../shape.ts";
import type { Dimension } from "../tensor.ts";
import { inputAt } from "./rule.ts";
import type { InferenceRule } from "./rule.ts";

const same: InferenceRule = (node) => [inputAt(node, 0)];

/** Result, mean and inverse standard deviation; the latter keep the normalised axes with length 1. */
const layerNormalization: InferenceRule = (node) => {
  const x = inputAt(node, 0);
  const from = normaliseAxis(integerAttribute(node.attributes, "axis", -1), x.shape.length);
  const shape = x.shape.map((length, axis): Dimension => (axis < from ? length : 1));
  const statistic = { dtype: x.dtype, shape };
  return [x, statistic, statistic];
};

/** Operators that normalise. */
export const normalizationInference: Readonly<Record<string, InferenceRule>> = {
  BatchNormalization: same,
  InstanceNormalization: same,
  GroupNormalization: same,
  RMSNormalization: same,
  LayerNormalization: layerNormalization,
};
