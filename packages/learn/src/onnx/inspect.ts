import { LearnError } from "../errors.ts";
import { invalidModel, lengthOf } from "./decode-tensor.ts";
import { modelProto } from "./proto.ts";
import type {
  AttributeMessage,
  GraphMessage,
  ModelMessage,
  NodeMessage,
  SparseTensorMessage,
  TensorMessage,
  ValueInfoMessage,
} from "./proto.ts";

/** Bits per element of every element type of ONNX by its code; 0 where the size varies. */
const elementTypes: Readonly<Record<number, readonly [name: string, bits: number]>> = {
  1: ["float32", 32],
  2: ["uint8", 8],
  3: ["int8", 8],
  4: ["uint16", 16],
  5: ["int16", 16],
  6: ["int32", 32],
  7: ["int64", 64],
  8: ["string", 0],
  9: ["bool", 8],
  10: ["float16", 16],
  11: ["float64", 64],
  12: ["uint32", 32],
  13: ["uint64", 64],
  14: ["complex64", 64],
  15: ["complex128", 128],
  16: ["bfloat16", 16],
  17: ["float8e4m3fn", 8],
  18: ["float8e4m3fnuz", 8],
  19: ["float8e5m2", 8],
  20: ["float8e5m2fnuz", 8],
  21: ["uint4", 4],
  22: ["int4", 4],
};

/** A tensor that enters or leaves an inspected model. */
export interface InspectedPort {
  readonly name: string;
  /** Element type as ONNX calls it, e.g. `float32`, `string`. */
  readonly elementType: string;
  /** Lengths; a free one by its name, which is empty when the file gives none. */
  readonly shape: readonly (number | string)[];
}

/** What an ONNX file says of itself, of whichever operators it is made. */
export interface InspectedModel {
  readonly inputs: readonly InspectedPort[];
  readonly outputs: readonly InspectedPort[];
  /** Operators in use, each once, as `domain::Operator`; ONNX's own domain is left out. */
  readonly operators: readonly string[];
  /** Version of each operator set by domain. */
  readonly operatorSets: Readonly<Record<string, number>>;
  /** Program that wrote the file. */
  readonly producer: string;
}

const domains = new Set(["", "ai.onnx", "ai.onnx.ml", "com.microsoft", "com.microsoft.nchwc"]);
/** Operators that a file may hold; a graph inside a graph counts too. */
const nodesMax = 1_000_000;

/** What protobuf leaves out is empty. */
const text = (value: string | undefined): string => value ?? "";
const list = <Item>(value: readonly Item[] | undefined): readonly Item[] => value ?? [];

/** Values that lie in a tensor's lists, in whichever of them. */
const heldIn = (tensor: TensorMessage): number =>
  [
    tensor.floatData,
    tensor.int32Data,
    tensor.int64Data,
    tensor.doubleData,
    tensor.uint64Data,
    tensor.stringData,
  ].reduce((sum, values) => sum + list<unknown>(values).length, 0);

/** Entries that a tensor's lists need: complex numbers take two, and two 4-bit numbers share one. */
const entriesOf = (elements: number, name: string, bits: number): number => {
  if (name.startsWith("complex")) return elements * 2;
  return bits === 4 ? Math.ceil(elements / 2) : elements;
};

const checkTensor = (tensor: TensorMessage, what: string): void => {
  if (list(tensor.externalData).length > 0 || tensor.dataLocation === 1) {
    throw invalidModel(`${what} keeps its values in another file`);
  }
  const type = elementTypes[tensor.dataType ?? 0];
  if (type === undefined) throw invalidModel(`${what} has the unknown element type ${tensor.dataType ?? 0}`);
  const [name, bits] = type;
  let elements = 1;
  for (const dim of list(tensor.dims)) elements *= lengthOf(dim, what);
  const raw = tensor.rawData;
  if (raw !== undefined && raw.length > 0) {
    if (name !== "string" && Math.ceil((elements * bits) / 8) === raw.length) return;
    throw invalidModel(`${what} claims ${elements} values of ${name}, but holds ${raw.length} bytes`);
  }
  const held = heldIn(tensor);
  if (held !== entriesOf(elements, name, bits)) {
    throw invalidModel(`${what} claims ${elements} values of ${name}, but holds ${held}`);
  }
};

/** Walks through everything that a file holds, however deep it is nested. */
class Inspection {
  readonly operators = new Set<string>();
  readonly #functions: ReadonlySet<string>;
  #nodes = 0;

  constructor(functions: ReadonlySet<string>) {
    this.#functions = functions;
  }

  graph(graph: GraphMessage, outer: ReadonlySet<string>): void {
    const known = new Set(outer);
    for (const initializer of list(graph.initializer)) {
      checkTensor(initializer, `the weight "${text(initializer.name)}"`);
      known.add(text(initializer.name));
    }
    for (const sparse of list(graph.sparseInitializer)) known.add(this.#sparse(sparse, "the sparse weight"));
    for (const { name } of list(graph.input)) known.add(text(name));
    this.nodes(list(graph.node), known);
    for (const { name } of list(graph.output)) {
      if (!known.has(text(name))) throw invalidModel(`its output "${text(name)}" is computed by no node`);
    }
  }

  /** Checks both parts; gives the name. */
  #sparse({ values = {}, indices = {} }: SparseTensorMessage, what: string): string {
    const name = text(values.name);
    checkTensor(values, `${what} "${name}"`);
    checkTensor(indices, `the places of ${what} "${name}"`);
    return name;
  }

  /** Every value must be there before it is used; that also refuses cycles. */
  nodes(nodes: readonly NodeMessage[], known: Set<string>): void {
    this.#nodes += nodes.length;
    if (this.#nodes > nodesMax) throw invalidModel(`it has more than ${nodesMax} nodes`);
    for (const node of nodes) {
      this.#node(node, known);
      for (const name of node.output ?? []) known.add(name);
    }
  }

  #node(node: NodeMessage, known: ReadonlySet<string>): void {
    const [operator, domain] = [text(node.opType), text(node.domain)];
    const called = `"${text(node.name) === "" ? operator : text(node.name)}"`;
    const missing = list(node.input).find((input) => input !== "" && !known.has(input));
    if (missing !== undefined) {
      throw invalidModel(`the node ${called} uses the value "${missing}" before anything computes it`);
    }
    if (!domains.has(domain) && !this.#functions.has(`${domain}::${operator}`)) {
      throw invalidModel(`the node ${called} is of the domain "${domain}", which no runtime here knows`);
    }
    this.operators.add(domain === "" || domain === "ai.onnx" ? operator : `${domain}::${operator}`);
    for (const attribute of list(node.attribute)) {
      this.#attribute(attribute, `the attribute "${text(attribute.name)}" of the node ${called}`, known);
    }
  }

  #attribute(attribute: AttributeMessage, what: string, known: ReadonlySet<string>): void {
    // A message that was not set is null on the decoder's prototype.
    const tensors = [attribute.t, ...list(attribute.tensors)].filter((tensor) => tensor != null);
    for (const tensor of tensors) checkTensor(tensor, what);
    if (attribute.sparseTensor != null) this.#sparse(attribute.sparseTensor, what);
    for (const graph of [attribute.g, ...list(attribute.graphs)]) if (graph != null) this.graph(graph, known);
  }
}

const portOf = ({ name = "", type }: ValueInfoMessage, role: "input" | "output"): InspectedPort => {
  const tensor = type?.tensorType;
  const [elementType] = elementTypes[tensor?.elemType ?? 0] ?? [];
  if (tensor === undefined || tensor === null || elementType === undefined) {
    throw invalidModel(
      `its ${role} "${name}" is not a tensor; a classifier of scikit-learn is exported with zipmap=False`,
    );
  }
  const shape = (tensor.shape?.dim ?? []).map((dim) =>
    dim.dimParam || !Object.hasOwn(dim, "dimValue") ? (dim.dimParam ?? "") : lengthOf(dim.dimValue, `"${name}"`),
  );
  return { name, elementType, shape };
};

const decode = (bytes: Uint8Array): ModelMessage => {
  try {
    return modelProto.decode(bytes) as ModelMessage;
  } catch (cause) {
    throw new LearnError(
      "onnx-invalid",
      `These ${bytes.length} bytes are not an ONNX model: they are damaged, truncated, nested too deep, or of another format. Export or upload the file again.`,
      { cause },
    );
  }
};

/**
 * Checks an ONNX file of any operators before native code reads it: nothing outside of the file is named, every tensor
 * holds as much as it claims, every value is computed before it is used, and inputs and outputs are tensors.
 * Unlike {@link decodeModel} it needs no knowledge of the operators, and gives no graph that could be trained.
 * @throws LearnError `onnx-invalid` saying what is wrong and where.
 */
export const inspectModel = (bytes: Uint8Array): InspectedModel => {
  const message = decode(bytes);
  const { graph, functions = [] } = message;
  if (!graph?.output?.length) {
    throw invalidModel("it holds no graph with outputs; it may be empty or of another format");
  }
  const inspection = new Inspection(new Set(functions.map(({ domain = "", name = "" }) => `${domain}::${name}`)));
  inspection.graph(graph, new Set());
  for (const { node = [], input = [] } of functions) inspection.nodes(node, new Set(input));
  const weights = new Set((graph.initializer ?? []).map(({ name = "" }) => name));
  return {
    inputs: (graph.input ?? []).filter(({ name = "" }) => !weights.has(name)).map((port) => portOf(port, "input")),
    outputs: graph.output.map((port) => portOf(port, "output")),
    operators: [...inspection.operators].sort(),
    operatorSets: Object.fromEntries(
      (message.opsetImport ?? []).map(({ domain = "", version }) => [domain, lengthOf(version, "an operator set")]),
    ),
    producer: message.producerName ?? "",
  };
};
