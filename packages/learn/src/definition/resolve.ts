import { z } from "zod";
import { LearnError } from "../errors.ts";
import { lengthSchema } from "../layers/arguments.ts";
import type { LayerKind, LayerPlace, SampleShape, WeightSpec } from "../layers/layer.ts";
import { layerKinds } from "../layers/registry.ts";
import { splitWeightArguments, withWeightArguments } from "../layers/weight-arguments.ts";
import { type Regularizer, regularizerSchema } from "../regularizers/index.ts";
import { layerNames } from "./definition.ts";
import type { LayerSpec, ModelDefinition } from "./definition.ts";

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
  readonly weights: readonly WeightSpec[];
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

const nameSchema = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$/, "a name has 1 to 63 letters, digits, _ . -");
const specSchema = z.looseObject({
  layer: z.string(),
  name: nameSchema.optional(),
  trainable: z.boolean().optional(),
  activityRegularizer: regularizerSchema.optional(),
});
const definitionSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("sequential"),
    name: nameSchema.optional(),
    layers: z.array(specSchema).min(1).max(1000),
  }),
  z.strictObject({
    kind: z.literal("functional"),
    name: nameSchema.optional(),
    layers: z
      .array(specSchema.extend({ name: nameSchema, inputs: z.array(z.string()).optional() }))
      .min(1)
      .max(1000),
    inputs: z.array(z.string()).min(1),
    outputs: z.array(z.string()).min(1),
  }),
]);
const inputSchema = z.strictObject({ shape: z.array(lengthSchema).min(1).max(7) });

const issueText = (error: z.ZodError): string => {
  const [issue] = error.issues;
  const where = issue?.path.join(".") ?? "";
  return `${where === "" ? "" : `"${where}": `}${issue?.message ?? "it has the wrong form"}`;
};

/**
 * Parses a definition that came from outside.
 * @throws LearnError `definition-invalid` saying where.
 */
export const parseDefinition = (value: unknown): ModelDefinition => {
  const parsed = definitionSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new LearnError(
    "definition-invalid",
    `The model definition is not valid at ${issueText(parsed.error)}. Expected {kind: "sequential", layers: [{layer: "Input", shape: […]}, …]} or {kind: "functional", layers, inputs, outputs}.`,
  );
};

const kindOf = (spec: LayerSpec, name: string): LayerKind => {
  const kind = layerKinds.get(spec.layer);
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

/** What every layer has, apart from what only its kind has. */
const splitArguments = (
  spec: LayerSpec,
): {
  readonly frozen: boolean;
  readonly activityRegularizer?: Regularizer;
  readonly own: Readonly<Record<string, unknown>>;
} => {
  const { layer: _layer, name: _name, inputs: _inputs, trainable, activityRegularizer, ...own } = spec;
  const regularizer = activityRegularizer as Regularizer | undefined;
  return {
    frozen: trainable === false,
    ...(regularizer === undefined ? {} : { activityRegularizer: regularizer }),
    own,
  };
};

interface Place {
  readonly name: string;
  readonly spec: LayerSpec;
  readonly inputs: readonly string[];
}

const resolveInput = ({ name, spec }: Place): ResolvedLayer => {
  const { own } = splitArguments(spec);
  const args = parseArguments(inputSchema, own, { layer: "Input", name }) as z.output<typeof inputSchema>;
  return {
    name,
    layer: "Input",
    kind: undefined,
    arguments: args,
    inputs: [],
    inputShapes: [],
    outputShape: args.shape,
    weights: [],
    frozen: false,
  };
};

const resolveLayer = ({ name, spec, inputs }: Place, known: ReadonlyMap<string, ResolvedLayer>): ResolvedLayer => {
  if (spec.layer === "Input") return resolveInput({ name, spec, inputs });
  const place = { layer: spec.layer, name };
  const kind = kindOf(spec, name);
  const { own, ...shared } = splitArguments(spec);
  const { weights, rest } = splitWeightArguments(own, place);
  const args = parseArguments(kind.arguments, rest, place);
  const inputShapes = inputs.map((source) => {
    const shape = known.get(source)?.outputShape;
    if (shape !== undefined) return shape;
    throw new LearnError(
      "definition-invalid",
      `${spec.layer} "${name}" takes "${source}", which is not a layer in front of it. List layers in the order of computation, without cycles.`,
    );
  });
  const outputShape = kind.outputShape(args, inputShapes, place);
  const specs = withWeightArguments(kind.weights(args, inputShapes), weights, place);
  return {
    name,
    layer: spec.layer,
    kind,
    arguments: args,
    inputs,
    inputShapes,
    outputShape,
    weights: specs.map((weight) => ({ ...weight, trainable: weight.trainable && !shared.frozen })),
    ...shared,
  };
};

const placesOf = (definition: ModelDefinition): Place[] => {
  const names = layerNames(definition.layers);
  return definition.layers.map((spec, index) => {
    const name = names[index] ?? "";
    if (definition.kind === "sequential") {
      return { name, spec, inputs: spec.layer === "Input" || index === 0 ? [] : [names[index - 1] ?? ""] };
    }
    return { name, spec, inputs: (spec["inputs"] as readonly string[] | undefined) ?? [] };
  });
};

const portsOf = (definition: ModelDefinition, places: readonly Place[]): Pick<ResolvedModel, "inputs" | "outputs"> => {
  if (definition.kind === "functional") return { inputs: definition.inputs, outputs: definition.outputs };
  const inputs = places.filter(({ spec }) => spec.layer === "Input");
  if (places[0]?.spec.layer !== "Input" || inputs.length !== 1 || places.length < 2) {
    throw new LearnError(
      "definition-invalid",
      'A sequential model begins with one Input and has at least one layer after it. Put {layer: "Input", shape: […]} first.',
    );
  }
  return { inputs: [places[0].name], outputs: [places.at(-1)?.name ?? ""] };
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
  const places = placesOf(parsed);
  const ports = portsOf(parsed, places);
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
