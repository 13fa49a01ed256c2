import { LearnError } from "../errors.ts";
import { layerNames } from "./definition.ts";
import type { LayerSpec, ModelDefinition } from "./definition.ts";
import { parseDefinition } from "./parse.ts";

/** A layer's place in a model whose sub-models are spread out. */
export interface Place {
  readonly name: string;
  readonly spec: LayerSpec;
  /** Names of the places whose results it takes. */
  readonly inputs: readonly string[];
  readonly frozen: boolean;
  /** The place whose layer, with its weights, is used here again. */
  readonly shares?: string;
}

/** A model as places, with its ports. */
export interface ExpandedModel {
  readonly places: readonly Place[];
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** Sub-models multiply; more places than this are a mistake or an attack. */
const placesMax = 10_000;

const invalid = (message: string): LearnError => new LearnError("definition-invalid", message);

const ownPlaces = (definition: ModelDefinition): Place[] => {
  const names = layerNames(definition.layers);
  return definition.layers.map((spec, index) => {
    const name = names[index] ?? "";
    const previous = spec.layer === "Input" || index === 0 ? [] : [names[index - 1] ?? ""];
    const shares = spec["shares"] as string | undefined;
    return {
      name,
      spec,
      inputs: definition.kind === "sequential" ? previous : ((spec["inputs"] as readonly string[] | undefined) ?? []),
      frozen: spec["trainable"] === false,
      ...(shares === undefined ? {} : { shares }),
    };
  });
};

const portsOf = (definition: ModelDefinition, places: readonly Place[]): Pick<ExpandedModel, "inputs" | "outputs"> => {
  if (definition.kind === "functional") return { inputs: definition.inputs, outputs: definition.outputs };
  const inputs = places.filter(({ spec }) => spec.layer === "Input");
  if (places[0]?.spec.layer !== "Input" || inputs.length !== 1 || places.length < 2) {
    throw invalid(
      'A sequential model begins with one Input and has at least one layer after it. Put {layer: "Input", shape: […]} first.',
    );
  }
  return { inputs: [places[0].name], outputs: [places.at(-1)?.name ?? ""] };
};

const modelArguments = new Set(["layer", "name", "inputs", "definition", "trainable", "shares"]);

/** The definition of a sub-model: its own, or that of the sub-model whose layers it shares. */
const definitionOf = (place: Place, known: ReadonlyMap<string, ModelDefinition>): ModelDefinition => {
  const unknown = Object.keys(place.spec).find((key) => !modelArguments.has(key));
  if (unknown !== undefined) throw invalid(`Model "${place.name}" has the unknown argument "${unknown}".`);
  if (place.shares === undefined) return parseDefinition(place.spec["definition"]);
  const shared = known.get(place.shares);
  if (shared !== undefined) return shared;
  throw invalid(`Model "${place.name}" shares "${place.shares}", which is not a Model in front of it.`);
};

/** The places of a sub-model under the name of its layer: borders at its inputs, and one for its first output. */
const spread = (outer: Place, inner: ExpandedModel): Place[] => {
  const within = (name: string): string => `${outer.name}/${name}`;
  if (outer.inputs.length !== inner.inputs.length) {
    throw invalid(
      `Model "${outer.name}" takes ${inner.inputs.length} inputs (${inner.inputs.join(", ")}), but ${outer.inputs.length} came.`,
    );
  }
  const places = inner.places.map((place): Place => {
    const source = outer.inputs[inner.inputs.indexOf(place.name)];
    if (source !== undefined) {
      const spec = { layer: "Model", shape: place.spec["shape"] };
      return { name: within(place.name), spec, inputs: [source], frozen: false };
    }
    const shares =
      outer.shares === undefined
        ? place.shares && within(place.shares)
        : `${outer.shares}/${place.shares ?? place.name}`;
    return {
      name: within(place.name),
      spec: place.spec,
      inputs: place.inputs.map(within),
      frozen: place.frozen || outer.frozen,
      ...(shares === undefined ? {} : { shares }),
    };
  });
  const output = { name: outer.name, spec: { layer: "Model" }, inputs: [within(inner.outputs[0] ?? "")] };
  return [...places, { ...output, frozen: false }];
};

/**
 * Spreads the sub-models of a definition: the layers of a model used as a layer `encoder` become `encoder/dense`, …
 * @throws LearnError `definition-invalid` naming the layer.
 */
export const expandDefinition = (definition: ModelDefinition): ExpandedModel => {
  const known = new Map<string, ModelDefinition>();
  const own = ownPlaces(definition);
  const places = own.flatMap((place) => {
    if (place.spec.layer !== "Model") return [place];
    const inner = definitionOf(place, known);
    known.set(place.name, inner);
    return spread(place, expandDefinition(inner));
  });
  if (places.length > placesMax) throw invalid(`The model has more than ${placesMax} layers.`);
  return { places, ...portsOf(definition, own) };
};
