import { integerAttribute, textAttribute } from "../attributes.ts";
import { inputAt } from "./rule.ts";
import type { InferenceRule } from "./rule.ts";

/** All results [steps, directions, batch, units], then the last states [directions, batch, units]. */
const recurrent: InferenceRule = (node) => {
  const [x, r] = [inputAt(node, 0), inputAt(node, 2)];
  const directions = textAttribute(node.attributes, "direction", "forward") === "bidirectional" ? 2 : 1;
  const [steps = 1, batch = 1] = x.shape;
  const units = integerAttribute(node.attributes, "hidden_size", Number(r.shape[2] ?? 1));
  const last = { dtype: x.dtype, shape: [directions, batch, units] };
  return [{ dtype: x.dtype, shape: [steps, directions, batch, units] }, last, last];
};

/** Recurrent operators. */
export const recurrentInference: Readonly<Record<string, InferenceRule>> = {
  RNN: recurrent,
  GRU: recurrent,
  LSTM: recurrent,
};
