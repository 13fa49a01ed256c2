import type { LayerSpec, ModelDefinition, WiredLayerSpec } from "../definition/definition.ts";
import { invalidKeras } from "./invalid.ts";
import { layerSpec, storedLayer, type StoredLayer } from "./layer-config.ts";
import { type Config, isConfig } from "./values.ts";
import { ordered, outputLayers, portsOf, wiredCalls } from "./wiring.ts";

/** How the import reads what a file leaves open. */
export interface DefinitionOptions {
  /** Length that stands for open axes of inputs, such as the steps of a sequence of any length. */
  readonly openLength?: number | undefined;
}

const shapeOf = (batchShape: unknown, what: string, { openLength }: DefinitionOptions): readonly number[] => {
  if (!Array.isArray(batchShape)) throw invalidKeras(`${what} has no shape`);
  const lengths = (batchShape as unknown[]).slice(1).map((length) => length ?? openLength);
  if (lengths.every((length) => typeof length === "number")) return lengths.length === 0 ? [1] : lengths;
  throw invalidKeras(`${what} has an open length; give the import an openLength for it`);
};

const inputSpec = (stored: StoredLayer, options: DefinitionOptions): LayerSpec => {
  const { config, name } = stored;
  const shape = shapeOf(config["batch_shape"] ?? config["batch_input_shape"], `the input "${name}"`, options);
  return { layer: "Input", name, shape };
};

const modelClasses = new Set(["Functional", "Sequential", "Model"]);

/** A layer that is not an input: one of ours, or a model within the model. */
const innerSpec = (stored: StoredLayer, options: DefinitionOptions): LayerSpec => {
  if (!modelClasses.has(stored.className)) return layerSpec(stored);
  const definition = modelDefinition({ class_name: stored.className, config: stored.config }, options);
  const frozen = stored.config["trainable"] === false ? { trainable: false } : {};
  return { layer: "Model", name: stored.name, definition, ...frozen };
};

const specOf = (stored: StoredLayer, options: DefinitionOptions): LayerSpec =>
  stored.className === "InputLayer" ? inputSpec(stored, options) : innerSpec(stored, options);

const layersOf = (config: Config): readonly StoredLayer[] => {
  const { layers } = config;
  if (!Array.isArray(layers) || layers.length === 0) throw invalidKeras("it holds no layers");
  return layers.map(storedLayer);
};

const nameOf = (config: Config): { readonly name?: string } => {
  const { name } = config;
  return typeof name === "string" && /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$/.test(name) ? { name } : {};
};

const sequentialDefinition = (config: Config, options: DefinitionOptions): ModelDefinition => {
  const stored = layersOf(config);
  const [first] = stored;
  const layers = stored.map((layer) => specOf(layer, options));
  if (first?.className === "InputLayer") return { kind: "sequential", ...nameOf(config), layers };
  // Older files leave the input to the first layer.
  const given = first?.config["batch_input_shape"] ?? first?.config["batch_shape"] ?? config["build_input_shape"];
  const input = { layer: "Input", name: "input_layer", shape: shapeOf(given, "the model's input", options) };
  return { kind: "sequential", ...nameOf(config), layers: [input, ...layers] };
};

const functionalDefinition = (config: Config, options: DefinitionOptions): ModelDefinition => {
  const layers = layersOf(config).flatMap((stored): readonly WiredLayerSpec[] =>
    wiredCalls(stored, specOf(stored, options)),
  );
  const outputs = outputLayers(portsOf(config["output_layers"]));
  return {
    kind: "functional",
    ...nameOf(config),
    layers: ordered([...layers, ...outputs.layers]),
    inputs: portsOf(config["input_layers"]).map(({ layer }) => layer),
    outputs: outputs.names,
  };
};

/**
 * A stored model, `{class_name, config}`, as a definition of ours.
 * @throws LearnError `keras-invalid` for code, custom classes and what is not known here.
 */
export const modelDefinition = (stored: Config, options: DefinitionOptions = {}): ModelDefinition => {
  const { class_name: className, config, registered_name: registered } = stored;
  if (!isConfig(config)) throw invalidKeras("its configuration holds no model");
  if (className === "Sequential") return sequentialDefinition(config, options);
  if (className === "Functional" || className === "Model") return functionalDefinition(config, options);
  throw invalidKeras(`its class ${JSON.stringify(registered ?? className ?? "")} is no Sequential or functional model`);
};
