import type { LayerSpec, ModelDefinition } from "../definition/definition.ts";
import type { Hdf5Array } from "./hdf5.ts";
import type { StoredWeights } from "./weights.ts";

/** A Normalization whose statistics lie among the weights gets them as arguments, as our layer has them. */
const fitted = (spec: LayerSpec, stored: readonly Hdf5Array[] | StoredWeights | undefined): LayerSpec => {
  if (spec.layer === "Model" && stored instanceof Map && spec["definition"] !== undefined) {
    return {
      ...spec,
      definition: fittedNormalizations(spec["definition"] as ModelDefinition, stored as StoredWeights),
    };
  }
  if (spec.layer !== "Normalization" || !Array.isArray(stored)) return spec;
  const [mean, variance] = stored as readonly Hdf5Array[];
  if (mean === undefined || variance === undefined) return spec;
  return { ...spec, mean: [...mean.values], variance: [...variance.values] };
};

/** The definition with the statistics of its normalisations, which Keras keeps among the weights. */
export const fittedNormalizations = (definition: ModelDefinition, stored: StoredWeights): ModelDefinition =>
  ({
    ...definition,
    layers: definition.layers.map((spec) => fitted(spec, stored.get(spec.name ?? ""))),
  }) as ModelDefinition;
