import { LearnError } from "../errors.ts";
import type { GraphBuilder } from "../onnx/builder.ts";
import type { Node, Value } from "../onnx/graph.ts";
import { activationRules } from "./rules/activations.ts";
import { convolutionRules } from "./rules/convolution.ts";
import { elementwiseRules } from "./rules/elementwise.ts";
import { indexingRules } from "./rules/indexing.ts";
import { layoutRules } from "./rules/layout.ts";
import { linearRules } from "./rules/linear.ts";
import { normalizationRules } from "./rules/normalization.ts";
import { reductionRules } from "./rules/reductions.ts";
import { poolingRules } from "./rules/pooling.ts";
import { gruGradient, gruOperation } from "../recurrence/gru.ts";
import { lstmGradient, lstmOperation } from "../recurrence/lstm.ts";
import type { GradientRule } from "./rule.ts";

/** Gradient rules by operator. */
export const gradientRules: ReadonlyMap<string, GradientRule> = new Map(
  Object.entries({
    ...elementwiseRules,
    ...activationRules,
    ...layoutRules,
    ...indexingRules,
    ...linearRules,
    ...reductionRules,
    ...normalizationRules,
    ...convolutionRules,
    ...poolingRules,
    [lstmOperation]: lstmGradient,
    [gruOperation]: gruGradient,
  }),
);

/** Operators whose outputs are piecewise constant: nothing flows back through them. */
export const withoutGradient: ReadonlySet<string> = new Set(
  "Sign Floor Ceil Round Not Equal Greater GreaterOrEqual Less LessOrEqual And Or ArgMax ArgMin OneHot Shape IsNaN IsInf Xor".split(
    " ",
  ),
);

/** What is to be differentiated. */
export interface Differentiation {
  /** The scalar to be made smaller. */
  readonly loss: Value;
  /** Values whose gradients are wanted, by name. */
  readonly withRespectTo: readonly Value[];
}

/** Values that depend on one of the sources. */
const dependents = (nodes: readonly Node[], sources: readonly Value[]): Set<string> => {
  const reached = new Set(sources.map((value) => value.name));
  for (const node of nodes) {
    if (withoutGradient.has(node.operator)) continue;
    if (node.inputs.some((name) => reached.has(name))) for (const output of node.outputs) reached.add(output);
  }
  return reached;
};

const ruleOf = (node: Node): GradientRule => {
  const rule = gradientRules.get(node.operator);
  if (rule !== undefined) return rule;
  throw new LearnError(
    "operator-without-gradient",
    `The node "${node.name}" (${node.operator}) has no gradient rule, so what lies before it cannot be trained. Freeze it, or replace the node.`,
  );
};

/**
 * Reverse-mode differentiation: adds to the graph the nodes that compute the gradient of a scalar.
 * @returns Gradients in the order of `withRespectTo`, each with the shape of its value; zeros where the loss does not
 *   depend on it.
 * @throws LearnError `operator-without-gradient` naming the node.
 */
export const differentiate = (builder: GraphBuilder, { loss, withRespectTo }: Differentiation): Value[] => {
  const nodes = builder.operations();
  const dependent = dependents(nodes, withRespectTo);
  const gradients = new Map<string, Value>();
  const accumulate = (name: string, gradient: Value): void => {
    const known = gradients.get(name);
    gradients.set(name, known === undefined ? gradient : builder.apply("Add", [known, gradient]));
  };
  if (dependent.has(loss.name)) gradients.set(loss.name, builder.scalarLike(loss, 1));
  for (const node of nodes.toReversed()) {
    const upstream = node.outputs.map((name) => gradients.get(name));
    const wanted = node.inputs.map((name) => name !== "" && dependent.has(name));
    if (upstream.every((gradient) => gradient === undefined) || !wanted.includes(true)) continue;
    if (withoutGradient.has(node.operator)) continue;
    const inputs = node.inputs.map((name) => (name === "" ? undefined : builder.value(name)));
    const outputs = node.outputs.map((name) => builder.value(name));
    const results = ruleOf(node)({ builder, node, inputs, outputs, upstream, wanted });
    for (const [index, result] of results.entries()) {
      const name = node.inputs[index];
      if (result !== undefined && name !== undefined && wanted[index]) accumulate(name, result);
    }
  }
  return withRespectTo.map(
    (value) => gradients.get(value.name) ?? builder.apply("Mul", [value, builder.scalarLike(value, 0)]),
  );
};
