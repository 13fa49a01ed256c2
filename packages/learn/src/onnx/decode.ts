import { LearnError } from "../errors.ts";
import { dataTypeCode } from "./builder.ts";
import { decodeNodes } from "./decode-nodes.ts";
import { decodeTensor, invalidModel, lengthOf } from "./decode-tensor.ts";
import type { Graph, GraphPort, Node } from "./graph.ts";
import { propagateSymbols, symbolsOf } from "./inference/symbols.ts";
import type { Symbols } from "./inference/symbols.ts";
import { inferOutputs } from "./inference/infer.ts";
import { modelProto } from "./proto.ts";
import type { GraphMessage, ModelMessage, ValueInfoMessage } from "./proto.ts";
import type { DataType, Dimension, Tensor, TensorType } from "./tensor.ts";

/** An ONNX file that was read. */
export interface DecodedModel {
  readonly graph: Graph;
  /** Version of ONNX's own operator set. */
  readonly operatorSet: number;
  /** Names of the constants that are stored as weights, unlike those that a node holds. */
  readonly initializers: ReadonlySet<string>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Limits of what is read. */
export interface DecodeOptions {
  /** Larger files are refused; default 2 GiB, the limit of the format itself. */
  readonly bytesMax?: number;
}

const operatorSets = { least: 7, most: 26 } as const;

const messageOf = (bytes: Uint8Array): ModelMessage => {
  try {
    return modelProto.decode(bytes) as ModelMessage;
  } catch (cause) {
    throw new LearnError(
      "onnx-invalid",
      `These ${bytes.length} bytes are not an ONNX model: they are damaged, truncated, or of another format. Export or upload the file again.`,
      { cause },
    );
  }
};

const typeOf = ({ name = "", type }: ValueInfoMessage): GraphPort => {
  const dtype = (Object.keys(dataTypeCode) as DataType[]).find(
    (key) => dataTypeCode[key] === type?.tensorType?.elemType,
  );
  if (dtype === undefined) {
    throw invalidModel(`"${name}" is not a tensor of a supported type (${Object.keys(dataTypeCode).join(", ")})`);
  }
  const dimensions = type?.tensorType?.shape?.dim ?? [];
  const shape = dimensions.map((dimension, axis): Dimension => {
    if (dimension.dimParam) return dimension.dimParam;
    return Object.hasOwn(dimension, "dimValue") ? lengthOf(dimension.dimValue, `"${name}"`) : `${name}.${axis}`;
  });
  return { name, dtype, shape };
};

const constantsOf = (graph: GraphMessage): Map<string, Tensor> => {
  if (graph.sparseInitializer?.length) throw invalidModel("it holds sparse weights, which are not supported");
  const constants = new Map<string, Tensor>();
  for (const message of graph.initializer ?? []) {
    const name = message.name ?? "";
    if (name === "" || constants.has(name))
      throw invalidModel(`it holds two weights named "${name}", or one without a name`);
    constants.set(name, decodeTensor(message));
  }
  return constants;
};

interface Known {
  readonly types: Map<string, TensorType>;
  readonly constants: Map<string, Tensor>;
  readonly symbols: Map<string, Symbols>;
}

const symbolsIn = ({ constants, symbols }: Known, name: string): Symbols | undefined => {
  const constant = constants.get(name);
  return constant === undefined ? symbols.get(name) : symbolsOf(constant);
};

const inferNode = (node: Node, graph: Known): void => {
  const symbols = node.inputs.map((name) => symbolsIn(graph, name));
  const inputs = node.inputs.map((name) => graph.types.get(name));
  const outputs = inferOutputs({
    operator: node.operator,
    inputs,
    symbols: symbols.map((known) => known?.values),
    constants: node.inputs.map((name) => graph.constants.get(name)),
    attributes: node.attributes,
    outputCount: node.outputs.length,
  });
  if (outputs === undefined || node.domain !== "") {
    const domain = node.domain === "" ? "" : ` of the domain "${node.domain}"`;
    throw invalidModel(
      `the node "${node.name}" applies the operator ${node.operator}${domain}, which is not known here`,
    );
  }
  const { operator, attributes } = node;
  const result = propagateSymbols({ operator, attributes, inputs: symbols, types: inputs });
  if (result !== undefined) graph.symbols.set(node.outputs[0] ?? "", result);
  for (const [index, name] of node.outputs.entries()) {
    const type = outputs[index];
    if (type !== undefined && name !== "") graph.types.set(name, { dtype: type.dtype, shape: type.shape });
  }
};

const operatorSetOf = (message: ModelMessage): number => {
  const own = message.opsetImport?.find(({ domain }) => !domain || domain === "ai.onnx");
  const version = own === undefined ? 0 : lengthOf(own.version, "the operator set");
  if (version >= operatorSets.least && version <= operatorSets.most) return version;
  throw invalidModel(
    `it names the operator set ${own === undefined ? "of no version" : version}; versions ${operatorSets.least} to ${operatorSets.most} are read`,
  );
};

const graphOf = (message: GraphMessage): Graph => {
  const constants = constantsOf(message);
  const inputs = (message.input ?? []).filter(({ name }) => !constants.has(name ?? "")).map(typeOf);
  const types = new Map<string, TensorType>();
  for (const [name, { dtype, shape }] of constants) types.set(name, { dtype, shape });
  for (const { name, dtype, shape } of inputs) types.set(name, { dtype, shape });
  const nodes = decodeNodes(message.node ?? [], types, constants);
  const symbols = new Map<string, Symbols>();
  for (const node of nodes) inferNode(node, { types, constants, symbols });
  const outputs = (message.output ?? []).map(({ name = "" }): GraphPort => {
    const type = types.get(name);
    if (type === undefined) throw invalidModel(`its output "${name}" is computed by no node`);
    return { name, ...type };
  });
  return { name: message.name ?? "", inputs, outputs, nodes, constants, types };
};

/**
 * Reads the bytes of an ONNX file and checks them: types, sizes, names, the order of the nodes.
 * Nothing outside of the bytes is ever opened.
 * @throws LearnError `onnx-invalid` saying what is wrong and where.
 */
export const decodeModel = (bytes: Uint8Array, options: DecodeOptions = {}): DecodedModel => {
  const bytesMax = options.bytesMax ?? 2 ** 31;
  if (bytes.length > bytesMax) throw invalidModel(`it has ${bytes.length} bytes, but ${bytesMax} are the limit`);
  const message = messageOf(bytes);
  if (!message.graph?.output?.length) {
    throw invalidModel("it holds no graph with outputs; it may be empty or of another format");
  }
  if (message.functions?.length)
    throw invalidModel("it defines functions of its own; export it with functions inlined");
  const operatorSet = operatorSetOf(message);
  const metadata = Object.fromEntries((message.metadataProps ?? []).map(({ key = "", value = "" }) => [key, value]));
  const initializers = new Set((message.graph.initializer ?? []).map(({ name = "" }) => name));
  return { graph: graphOf(message.graph), operatorSet, initializers, metadata };
};
