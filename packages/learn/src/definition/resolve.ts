import { z } from "zod";
import { LearnError } from "../errors.ts";
import { lengthSchema } from "../layers/arguments.ts";
import type { LayerKind, SampleShape, WeightSpec } from "../layers/layer.ts";
import { layerKinds } from "../layers/registry.ts";
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
}

/** A model whose every layer is known to fit. Layers stand in an order in which they can be computed. */
export interface ResolvedModel {
  readonly name: string;
  readonly layers: readonly ResolvedLayer[];
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

const nameSchema = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$/, "a name has 1 to 63 letters, digits, _ . -");
const specSchema = z.looseObject({ layer: z.string(), name: nameSchema.optional() });
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

const parseArguments = (schema: z.ZodType, spec: LayerSpec, name: string): unknown => {
  const { layer: _layer, name: _name, inputs: _inputs, ...rest } = spec;
  const parsed = schema.safeParse(rest);
  if (parsed.success) return parsed.data;
  throw new LearnError(
    "layer-invalid",
    `${spec.layer} "${name}" has an argument that is not valid: ${issueText(parsed.error)}. Got ${JSON.stringify(rest).slice(0, 300)}.`,
  );
};

interface Place {
  readonly name: string;
  readonly spec: LayerSpec;
  readonly inputs: readonly string[];
}

const resolveLayer = ({ name, spec, inputs }: Place, known: ReadonlyMap<string, ResolvedLayer>): ResolvedLayer => {
  if (spec.layer === "Input") {
    const args = parseArguments(inputSchema, spec, name) as z.output<typeof inputSchema>;
    const outputShape = args.shape;
    return {
      name,
      layer: "Input",
      kind: undefined,
      arguments: args,
      inputs: [],
      inputShapes: [],
      outputShape,
      weights: [],
    };
  }
  const kind = kindOf(spec, name);
  const args = parseArguments(kind.arguments, spec, name);
  const inputShapes = inputs.map((source) => {
    const shape = known.get(source)?.outputShape;
    if (shape !== undefined) return shape;
    throw new LearnError(
      "definition-invalid",
      `${spec.layer} "${name}" takes "${source}", which is not a layer in front of it. List layers in the order of computation, without cycles.`,
    );
  });
  const outputShape = kind.outputShape(args, inputShapes, { layer: spec.layer, name });
  return {
    name,
    layer: spec.layer,
    kind,
    arguments: args,
    inputs,
    inputShapes,
    outputShape,
    weights: kind.weights(args, inputShapes),
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
