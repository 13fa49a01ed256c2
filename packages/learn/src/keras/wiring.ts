import type { WiredLayerSpec } from "../definition/definition.ts";
import { invalidKeras } from "./invalid.ts";
import { layerSpec, type StoredLayer } from "./layer-config.ts";
import { type Config, isConfig } from "./values.ts";

/** A tensor of a stored graph: a layer's result, of one of its calls. */
interface Tensor {
  readonly layer: string;
  readonly call: number;
  readonly output: number;
}

/** One call of a layer: its tensors in order, and what else was passed. */
interface Call {
  readonly tensors: readonly Tensor[];
  readonly options: Config;
}

const tensorOf = (history: unknown): Tensor => {
  const [layer, call, output] = Array.isArray(history) ? (history as unknown[]) : [];
  if (typeof layer === "string" && typeof call === "number" && typeof output === "number")
    return { layer, call, output };
  throw invalidKeras("its graph names a tensor in a form that is not known");
};

/** Tensors of a nested argument, in order. */
const tensorsIn = (value: unknown): Tensor[] => {
  if (Array.isArray(value)) return value.flatMap(tensorsIn);
  if (!isConfig(value)) return [];
  const config = value["config"];
  if (value["class_name"] === "__keras_tensor__" && isConfig(config)) return [tensorOf(config["keras_history"])];
  return Object.values(value).flatMap(tensorsIn);
};

/** Named arguments that hold tensors, in the order in which our layers take them. */
const tensorArguments = ["query", "value", "key", "sequences", "inputs", "initial_state", "attention_mask"];

const callOf = (node: unknown): Call => {
  if (isConfig(node) && Array.isArray(node["args"])) {
    const kwargs = isConfig(node["kwargs"]) ? node["kwargs"] : {};
    const named = tensorArguments.flatMap((key) => tensorsIn(kwargs[key]));
    return { tensors: [...tensorsIn(node["args"]), ...named], options: kwargs };
  }
  // Files of Keras 2: [[layer, call, output, options], …], or one of them.
  if (Array.isArray(node)) {
    const list = (typeof node[0] === "string" ? [node] : node) as unknown[][];
    const options = list.map((one) => one[3]).filter(isConfig);
    return { tensors: list.map(tensorOf), options: Object.assign({}, ...options) as Config };
  }
  throw invalidKeras("its graph holds a call in a form that is not known");
};

/** Name of a layer's call: that of the layer, and a name of its own for each further one. */
const callName = ({ layer, call }: Pick<Tensor, "layer" | "call">): string =>
  call === 0 ? layer : `${layer}.call${call}`;

/** How our layers name another one's result. */
const reference = (tensor: Tensor): string =>
  tensor.output === 0 ? callName(tensor) : `${callName(tensor)}:${tensor.output}`;

const causal = ({ options }: Call): Config => (options["use_causal_mask"] === true ? { useCausalMask: true } : {});

/** A layer's calls as layers of our definition; all but the first share its weights. */
export const wiredCalls = (
  stored: StoredLayer,
  spec: ReturnType<typeof layerSpec> | undefined,
): readonly WiredLayerSpec[] => {
  const nodes = Array.isArray(stored.inboundNodes) ? (stored.inboundNodes as unknown[]) : [];
  const { name } = stored;
  if (spec?.layer === "Input") return [{ ...spec, name }];
  const own = spec ?? layerSpec(stored);
  return nodes.map((node, call): WiredLayerSpec => {
    const parsed = callOf(node);
    const inputs = parsed.tensors.map(reference);
    return call === 0
      ? { ...own, ...causal(parsed), name, inputs }
      : { layer: own.layer, name: callName({ layer: name, call }), shares: name, inputs };
  });
};

/** Layers in an order in which each follows those that it takes; `shares` counts too. */
export const ordered = (layers: readonly WiredLayerSpec[]): readonly WiredLayerSpec[] => {
  const waiting = new Map(layers.map((layer) => [layer.name, layer]));
  const done: WiredLayerSpec[] = [];
  const names = new Set<string>();
  const ready = (layer: WiredLayerSpec): boolean =>
    [...(layer.inputs ?? []), ...(typeof layer["shares"] === "string" ? [layer["shares"]] : [])].every((input) =>
      names.has(input.split(":")[0] ?? ""),
    );
  while (waiting.size > 0) {
    const next = [...waiting.values()].filter(ready);
    if (next.length === 0) throw invalidKeras("its graph has a cycle, or a layer takes another one that is missing");
    for (const layer of next) {
      waiting.delete(layer.name);
      names.add(layer.name);
      done.push(layer);
    }
  }
  return done;
};

/** The tensors that a stored model names as its inputs or outputs, in order. */
export const portsOf = (value: unknown): readonly Tensor[] => {
  if (Array.isArray(value) && typeof value[0] === "string") return [tensorOf(value)];
  if (Array.isArray(value)) return value.flatMap(portsOf);
  if (isConfig(value)) return Object.values(value).flatMap(portsOf);
  throw invalidKeras("it does not say which of its layers are inputs and outputs");
};

/** Names for the outputs; one that is a further result of its layer is passed on by a layer of its own. */
export const outputLayers = (
  tensors: readonly Tensor[],
): { readonly names: readonly string[]; readonly layers: readonly WiredLayerSpec[] } => {
  const layers = tensors.flatMap((tensor, index): WiredLayerSpec[] =>
    tensor.output === 0
      ? []
      : [{ layer: "Identity", name: `${callName(tensor)}.output${index}`, inputs: [reference(tensor)] }],
  );
  const names = tensors.map((tensor, index) =>
    tensor.output === 0 ? callName(tensor) : `${callName(tensor)}.output${index}`,
  );
  return { names, layers };
};
