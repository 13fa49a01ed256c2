import type { z } from "zod";
import { LearnError } from "../errors.ts";
import type { LayerKind, LayerPlace, SampleShape, WeightSpec } from "../layers/layer.ts";
import { layerKinds } from "../layers/registry.ts";
import { passThroughLayer } from "../layers/pass-through.ts";
import { splitWeightArguments, withWeightArguments } from "../layers/weight-arguments.ts";
import type { Regularizer } from "../regularizers/index.ts";
import type { LayerSpec, ModelDefinition } from "./definition.ts";
import { expandDefinition, type Place } from "./expand.ts";
import { inputSchema, issueText, parseDefinition, parseReference } from "./parse.ts";

/** A layer with its arguments validated and its shapes known. */
export interface ResolvedLayer {
  readonly name: string;
  readonly layer: string;
  /** Undefined for an input. */
  readonly kind: LayerKind | undefined;
  readonly arguments: unknown;
  /** Names of the layers whose results it takes. */
  readonly inputs: readonly string[];
  readonly inputShapes: readonly SampleShape[];
  readonly outputShape: SampleShape;
  /** Shapes of what it gives beside its result. */
  readonly furtherShapes: readonly SampleShape[];
  /** Its own weights; none where it uses those of another layer. */
  readonly weights: readonly WeightSpec[];
  /** The layer whose weights it uses: itself, or the one that it shares. */
  readonly owner: string;
  /** Whether the layer's weights stay as they are. */
  readonly frozen: boolean;
  /** Adds a penalty on the layer's result to the loss. */
  readonly activityRegularizer?: Regularizer;
}

/** A model whose every layer is known to fit. Layers stand in an order in which they can be computed. */
export interface ResolvedModel {
  readonly name: string;
  readonly layers: readonly ResolvedLayer[];
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

const kindOf = (spec: LayerSpec, name: string): LayerKind => {
  const kind = spec.layer === "Model" ? passThroughLayer : layerKinds.get(spec.layer);
  if (kind !== undefined) return kind;
  throw new LearnError(
    "layer-unknown",
    `Layer "${name}" is of kind ${JSON.stringify(spec.layer)}, which does not exist. Known kinds: Input, ${[...layerKinds.keys()].join(", ")}.`,
  );
};

const parseArguments = (schema: z.ZodType, given: unknown, place: LayerPlace): unknown => {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new LearnError(
    "layer-invalid",
    `${place.layer} "${place.name}" has an argument that is not valid: ${issueText(parsed.error)}. Got ${JSON.stringify(given).slice(0, 300)}.`,
  );
};

/** Arguments that every layer has, apart from what only its kind has. */
const ownArguments = (spec: LayerSpec): Readonly<Record<string, unknown>> => {
  const common = new Set(["layer", "name", "inputs", "trainable", "shares", "activityRegularizer"]);
  return Object.fromEntries(Object.entries(spec).filter(([key]) => !common.has(key)));
};

const resolveInput = ({ name, spec }: Place): ResolvedLayer => {
  const args = parseArguments(inputSchema, ownArguments(spec), { layer: "Input", name });
  return {
    name,
    layer: "Input",
    kind: undefined,
    arguments: args,
    inputs: [],
    inputShapes: [],
    outputShape: (args as z.output<typeof inputSchema>).shape,
    furtherShapes: [],
    weights: [],
    owner: name,
    frozen: false,
  };
};

type Known = ReadonlyMap<string, ResolvedLayer>;

/** Shape of a layer's result, or of a further one, which is named `layer:1` and so on. */
const resultShape = (source: string, known: Known): SampleShape | undefined => {
  const { layer, further } = parseReference(source);
  const found = known.get(layer);
  return further === 0 ? found?.outputShape : found?.furtherShapes[further - 1];
};

const inputShapesOf = ({ name, spec, inputs }: Place, known: Known): SampleShape[] =>
  inputs.map((source) => {
    const shape = resultShape(source, known);
    if (shape !== undefined) return shape;
    throw new LearnError(
      "definition-invalid",
      `${spec.layer} "${name}" takes "${source}", which is not a layer in front of it. List layers in the order of computation, without cycles.`,
    );
  });

/** A layer that is used again: its arguments and weights are those of its first use. */
const resolveShared = (place: Place, owner: string, known: Known): ResolvedLayer => {
  const first = known.get(owner);
  const own = Object.keys(ownArguments(place.spec));
  if (first?.kind === undefined || first.layer !== place.spec.layer || (place.spec["shares"] && own.length > 0)) {
    throw new LearnError(
      "definition-invalid",
      `${place.spec.layer} "${place.name}" shares "${owner}", which must be a ${place.spec.layer} in front of it; all arguments stand there.`,
    );
  }
  const inputShapes = inputShapesOf(place, known);
  const shapes = (weights: readonly WeightSpec[]): string => JSON.stringify(weights.map(({ shape }) => shape));
  const owning = known.get(first.owner) ?? first;
  const outputShape = first.kind.outputShape(first.arguments, inputShapes, { layer: first.layer, name: place.name });
  const furtherShapes = first.kind.furtherShapes(first.arguments, inputShapes);
  if (shapes(first.kind.weights(first.arguments, inputShapes)) !== shapes(owning.weights)) {
    throw new LearnError(
      "shape-mismatch",
      `${first.layer} "${place.name}" shares the weights of "${owner}", which its input of shape ${inputShapes.map((shape) => `[${shape.join(", ")}]`).join(" and ")} does not fit.`,
    );
  }
  return { ...first, name: place.name, inputs: place.inputs, inputShapes, outputShape, furtherShapes, weights: [] };
};

const resolveLayer = (given: Place, known: Known): ResolvedLayer => {
  const { name, spec, inputs, frozen, shares } = given;
  if (spec.layer === "Input") return resolveInput(given);
  if (shares !== undefined) return resolveShared(given, shares, known);
  const place = { layer: spec.layer, name };
  const kind = kindOf(spec, name);
  const { weights, rest } = splitWeightArguments(ownArguments(spec), place);
  const args = parseArguments(kind.arguments, rest, place);
  const inputShapes = inputShapesOf(given, known);
  const outputShape = kind.outputShape(args, inputShapes, place);
  const specs = withWeightArguments(kind.weights(args, inputShapes), weights, place);
  const activityRegularizer = spec["activityRegularizer"] as Regularizer | undefined;
  return {
    name,
    layer: spec.layer,
    kind,
    arguments: args,
    inputs,
    inputShapes,
    outputShape,
    furtherShapes: kind.furtherShapes(args, inputShapes),
    weights: specs.map((weight) => ({ ...weight, trainable: weight.trainable && !frozen })),
    owner: name,
    frozen,
    ...(activityRegularizer === undefined ? {} : { activityRegularizer }),
  };
};

const checkPorts = (
  ports: Pick<ResolvedModel, "inputs" | "outputs">,
  layers: ReadonlyMap<string, ResolvedLayer>,
): void => {
  for (const name of ports.inputs) {
    if (layers.get(name)?.layer === "Input") continue;
    throw new LearnError(
      "definition-invalid",
      `The model names the input "${name}", but no Input layer has that name.`,
    );
  }
  for (const { name, layer } of layers.values()) {
    if (layer !== "Input" || ports.inputs.includes(name)) continue;
    throw new LearnError(
      "definition-invalid",
      `Input "${name}" is missing in the model's list of inputs. Add it there.`,
    );
  }
  for (const name of ports.outputs) {
    if (layers.has(name)) continue;
    throw new LearnError("definition-invalid", `The model names the output "${name}", but no layer has that name.`);
  }
};

/**
 * Checks a definition as a whole: kinds, arguments, wiring and shapes.
 * @throws LearnError that names the layer, what it expected, what came, and the way out.
 */
export const resolveDefinition = (definition: ModelDefinition): ResolvedModel => {
  const parsed = parseDefinition(definition);
  const { places, ...ports } = expandDefinition(parsed);
  const layers = new Map<string, ResolvedLayer>();
  for (const place of places) {
    if (layers.has(place.name)) {
      throw new LearnError("definition-invalid", `Two layers are named "${place.name}". Give each a name of its own.`);
    }
    layers.set(place.name, resolveLayer(place, layers));
  }
  checkPorts(ports, layers);
  return { name: parsed.name ?? parsed.kind, layers: [...layers.values()], ...ports };
};
