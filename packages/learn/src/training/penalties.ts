import type { ResolvedModel } from "../definition/resolve.ts";
import type { GraphBuilder } from "../onnx/builder.ts";
import type { Value } from "../onnx/graph.ts";
import { emitRegularizer } from "../regularizers/index.ts";
import { type EmittedModel, weightName } from "./network.ts";

/**
 * Adds what the layers' regularizers add to the loss: of learnt weights, and of results over the whole batch.
 * @returns A scalar, or undefined when nothing is regularized.
 * Source: keras/src/layers/layer.py, `_get_regularization_losses` and `__call__`.
 */
export const emitPenalties = (
  builder: GraphBuilder,
  model: ResolvedModel,
  emitted: EmittedModel,
): Value | undefined => {
  const penalties: Value[] = [];
  for (const layer of model.layers) {
    for (const { name, regularizer, trainable } of layer.weights) {
      const weight = emitted.weights.get(weightName(layer.name, name));
      if (regularizer === undefined || !trainable || weight === undefined) continue;
      penalties.push(emitRegularizer(builder, weight, regularizer));
    }
    const result = emitted.results.get(layer.name);
    if (layer.activityRegularizer === undefined || result === undefined) continue;
    penalties.push(emitRegularizer(builder, result.value, layer.activityRegularizer));
  }
  const [first, ...others] = penalties;
  return first && others.reduce((sum, penalty) => builder.apply("Add", [sum, penalty]), first);
};
