import type { LayerSpec, ModelDefinition } from "../definition/definition.ts";
import { LearnError } from "../errors.ts";
import type { FeatureTransform } from "./feature-transform.ts";

const freeName = (definition: ModelDefinition): string => {
  const taken = new Set(definition.layers.map(({ name }) => name));
  let name = "preprocessing";
  for (let count = 1; taken.has(name); count++) name = `preprocessing_${count}`;
  return name;
};

/**
 * Puts fitted preprocessing between a network's input and its first layer: what goes in is then the raw input.
 * @param definition A network with one input, which takes what the preprocessing gives.
 * @param rawShape Shape of one raw sample.
 * @throws LearnError `definition-invalid` when the network has not exactly one input.
 */
export const withPreprocessing = (
  definition: ModelDefinition,
  rawShape: readonly number[],
  transform: FeatureTransform,
): ModelDefinition => {
  const inputs = definition.layers.filter(({ layer }) => layer === "Input");
  const [input] = inputs;
  if (input === undefined || inputs.length !== 1) {
    throw new LearnError(
      "definition-invalid",
      `Preprocessing takes a model with one Input, but ${inputs.length} came.`,
    );
  }
  const name = freeName(definition);
  const preprocessing: LayerSpec = { layer: "Preprocessing", name, ...transform };
  const raw = { ...input, shape: [...rawShape] };
  if (definition.kind === "sequential") {
    return {
      ...definition,
      layers: definition.layers.flatMap((spec) => (spec === input ? [raw, preprocessing] : [spec])),
    };
  }
  const rewired = (from: string): string => (from === input.name ? name : from);
  return {
    ...definition,
    layers: definition.layers.flatMap((spec) => {
      if (spec === input) {
        return [
          { ...spec, ...raw, name: spec.name },
          { ...preprocessing, name, inputs: [spec.name] },
        ];
      }
      return [spec.inputs === undefined ? spec : { ...spec, inputs: spec.inputs.map(rewired) }];
    }),
    outputs: definition.outputs.map(rewired),
  };
};
