import { input, layer, type LayerCall, model, type ModelDefinition, furtherOutput } from "../definition/definition.ts";
import { LearnError } from "../errors.ts";
import { decodeModel } from "../onnx/decode.ts";
import type { Graph, GraphPort, Node } from "../onnx/graph.ts";
import { prune } from "../onnx/prune.ts";
import type { Tensor } from "../onnx/tensor.ts";
import { identity } from "../definition/builders/shaping.ts";
import { type GraphArguments, type GraphWeight, jsonNode, jsonTensor } from "./json-graph.ts";

/** Options of {@link importOnnx}. */
export interface OnnxImportOptions {
  /** Name of the layer that the graph becomes; `graph` by default. */
  readonly name?: string;
  /** Values that the layer gives, by their names in the file; its outputs by default. A value in front of the last layers leaves these out, to be replaced by others. */
  readonly outputs?: readonly string[];
  /** Lengths for open axes other than the batch, by their names in the file. */
  readonly lengths?: Readonly<Record<string, number>>;
  /** Beginnings of the names of weights that stay as they are. */
  readonly frozen?: readonly string[];
  /** Larger files are refused; default 2 GiB. */
  readonly bytesMax?: number;
}

/** An ONNX model that was read, ready to be trained further. */
export interface OnnxModel {
  /** The whole graph as a layer, to be used in models of one's own. Its inputs are those of the file, in order. */
  readonly layer: LayerCall;
  /** Names and shapes of one sample of the inputs. */
  readonly inputs: readonly { readonly name: string; readonly shape: readonly number[] }[];
  /** A model of the graph alone. */
  readonly definition: ModelDefinition;
  /** By full name, `layer/initializer`, as `Learner.setWeight` takes them. */
  readonly weights: ReadonlyMap<string, { readonly shape: readonly number[]; readonly values: Float32Array }>;
}

/** Places of statistics among an operator's inputs, which are measured and not learnt. */
const statistics: Readonly<Record<string, readonly number[]>> = { BatchNormalization: [3, 4] };

const isWeight = ({ dtype, shape }: Tensor): boolean => dtype === "float32" && shape.length > 0;

/** Initializers that the file shares between equal weights get copies of their own, so that they are learnt apart. */
const unshared = (graph: Graph, initializers: ReadonlySet<string>): { graph: Graph; weights: Map<string, Tensor> } => {
  const weights = new Map<string, Tensor>();
  for (const [name, constant] of graph.constants) {
    if (initializers.has(name) && isWeight(constant)) weights.set(name, constant);
  }
  const nodes = graph.nodes.filter(({ operator, inputs, outputs }) => {
    const source = weights.get(inputs[0] ?? "");
    const [copy] = outputs;
    if (operator !== "Identity" || source === undefined || copy === undefined) return true;
    if (graph.outputs.some(({ name }) => name === copy)) return true;
    weights.set(copy, source);
    return false;
  });
  return { graph: { ...graph, nodes }, weights };
};

const measured = (nodes: readonly Node[]): ReadonlySet<string> =>
  new Set(nodes.flatMap(({ operator, inputs }) => (statistics[operator] ?? []).map((place) => inputs[place] ?? "")));

const graphArguments = (
  graph: Graph,
  weights: ReadonlyMap<string, Tensor>,
  options: { readonly operatorSet: number; readonly frozen: readonly string[] },
): GraphArguments => {
  const used = new Set(graph.nodes.flatMap(({ inputs }) => inputs));
  const fixed = measured(graph.nodes);
  const own = [...weights].filter(([name]) => used.has(name));
  const constants = [...graph.constants].filter(([name]) => used.has(name) && !weights.has(name));
  return {
    operatorSet: options.operatorSet,
    feeds: graph.inputs.map(({ name, dtype }) => ({ name, dtype })),
    outputs: graph.outputs.map(({ name }) => name),
    nodes: graph.nodes.map(jsonNode),
    constants: Object.fromEntries(constants.map(([name, constant]) => [name, jsonTensor(constant)])),
    weights: Object.fromEntries(
      own.map(([name, { shape }]): [string, GraphWeight] => [name, { shape, trainable: !fixed.has(name) }]),
    ),
    frozen: options.frozen,
  };
};

const sampleShape = ({ name, shape }: GraphPort, lengths: Readonly<Record<string, number>>): readonly number[] => {
  const sample = shape.slice(1).map((length) => (typeof length === "string" ? lengths[length] : length));
  if (sample.every((length) => length !== undefined)) return sample.length === 0 ? [1] : sample;
  throw new LearnError(
    "onnx-invalid",
    `The input "${name}" has the open lengths ${shape.filter((length) => typeof length === "string").join(", ")}. Give a length for all but the batch, as in lengths: { sequence: 128 }.`,
  );
};

const cutAt = (graph: Graph, outputs: readonly string[] | undefined): Graph => {
  if (outputs === undefined) return prune(graph);
  const ports = outputs.map((name): GraphPort => {
    const type = graph.types.get(name);
    if (type !== undefined) return { name, ...type };
    const known = graph.nodes.flatMap((node) => node.outputs).slice(-12);
    throw new LearnError("onnx-invalid", `The graph has no value "${name}". The last ones are: ${known.join(", ")}.`);
  });
  return prune({ ...graph, outputs: ports });
};

/**
 * Reads an ONNX model so that it can be trained: it becomes a layer whose initializers are weights. The layer is plain
 * data like every other one; weights can be frozen by name, and the last layers left out to be replaced.
 * @throws LearnError `onnx-invalid`, or `shape-mismatch` where an output has no batch in front.
 */
export const importOnnx = (bytes: Uint8Array, options: OnnxImportOptions = {}): OnnxModel => {
  const { name = "graph", lengths = {}, frozen = [], bytesMax } = options;
  const decoded = decodeModel(bytes, bytesMax === undefined ? {} : { bytesMax });
  const { graph, weights } = unshared(cutAt(decoded.graph, options.outputs), decoded.initializers);
  const args = graphArguments(graph, weights, { operatorSet: decoded.operatorSet, frozen });
  const call = layer("OnnxGraph", { ...args, name });
  const inputs = graph.inputs.map((port) => ({ name: port.name, shape: sampleShape(port, lengths) }));
  const symbols = inputs.map(({ shape }) => input({ shape }));
  const result = call(...symbols);
  const outputs = args.outputs.map((_, place) => (place === 0 ? result : identity()(furtherOutput(result, place))));
  return {
    layer: call,
    inputs,
    definition: model({ inputs: symbols, outputs }),
    weights: new Map(
      Object.keys(args.weights).map((weight) => {
        const tensor = weights.get(weight) as Tensor;
        return [`${name}/${weight}`, { shape: tensor.shape, values: Float32Array.from(tensor.values as Float32Array) }];
      }),
    ),
  };
};
