import { LearnError } from "../errors.ts";
import type { Attributes, Graph, GraphPort, Node, Value } from "./graph.ts";
import { inferOutputs } from "./inference/infer.ts";
import { propagateSymbols, symbolsOf } from "./inference/symbols.ts";
import type { Symbols } from "./inference/symbols.ts";
import { int64s, isStatic, numbersOf, scalar } from "./tensor.ts";
import type { DataType, Dimension, Tensor, TensorType } from "./tensor.ts";

/** Codes ONNX gives to element types, as `Cast` takes them. */
export const dataTypeCode: Readonly<Record<DataType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float64: 11,
};

/** Nodes that compute one operator together; see {@link GraphBuilder.group}. */
interface Group {
  readonly node: Node;
  /** Places of its first node and behind its last one. */
  readonly first: number;
  readonly end: number;
}

/** Options of {@link GraphBuilder.apply}. */
export interface ApplyOptions {
  readonly attributes?: Attributes;
  /** Name of the node's first output; made from the operator's name when left out. */
  readonly name?: string;
}

/**
 * Builds a graph node by node, inferring the type of every value on the way.
 * Shapes that do not fit are refused here, before any engine sees the graph.
 */
export class GraphBuilder {
  readonly #inputs: GraphPort[] = [];
  readonly #nodes: Node[] = [];
  readonly #groups: Group[] = [];
  readonly #constants = new Map<string, Tensor>();
  readonly #types = new Map<string, TensorType>();
  readonly #symbols = new Map<string, Symbols>();
  readonly #pool = new Map<string, Value>();
  readonly #names = new Set<string>();
  readonly #counters = new Map<string, number>();

  /** Starts from an existing graph, whose outputs are forgotten. */
  static from(graph: Graph): GraphBuilder {
    const builder = new GraphBuilder();
    builder.#inputs.push(...graph.inputs);
    builder.#nodes.push(...graph.nodes);
    for (const [name, constant] of graph.constants) builder.#constants.set(name, constant);
    for (const [name, type] of graph.types) builder.#types.set(name, type);
    for (const node of graph.nodes) for (const name of node.outputs) builder.#names.add(name);
    for (const name of [...graph.types.keys(), ...graph.constants.keys()]) builder.#names.add(name);
    for (const port of graph.inputs) builder.#names.add(port.name);
    return builder;
  }

  /** Declares a value that is fed when the graph runs. */
  input(name: string, dtype: DataType, shape: readonly Dimension[]): Value {
    this.#claim(name);
    const value: Value = { name, dtype, shape };
    this.#inputs.push(value);
    this.#types.set(name, { dtype, shape });
    return value;
  }

  /** Adds a constant; small unnamed ones are shared. */
  constant(tensor: Tensor, name?: string): Value {
    const key = name === undefined && tensor.values.length <= 16 ? poolKey(tensor) : undefined;
    const known = key === undefined ? undefined : this.#pool.get(key);
    if (known !== undefined) return known;
    const value: Value = { name: this.#fresh(name ?? "constant"), dtype: tensor.dtype, shape: tensor.shape };
    this.#constants.set(value.name, tensor);
    this.#types.set(value.name, { dtype: tensor.dtype, shape: tensor.shape });
    if (key !== undefined) this.#pool.set(key, value);
    return value;
  }

  /** Adds a constant scalar of the type of another value. */
  scalarLike(like: TensorType, value: number): Value {
    return this.constant(scalar(value, like.dtype));
  }

  /** Adds a constant list of int64, the form of shapes and axes. */
  integers(values: readonly number[]): Value {
    return this.constant(int64s(values));
  }

  /** Applies an operator with one output. */
  apply(operator: string, inputs: readonly (Value | undefined)[], options: ApplyOptions = {}): Value {
    const [output] = this.applyMany(operator, inputs, { ...options, outputCount: 1 });
    if (output === undefined) throw new LearnError("onnx-invalid", `${operator} has no output.`);
    return output;
  }

  /** Applies an operator with several outputs. */
  applyMany(
    operator: string,
    inputs: readonly (Value | undefined)[],
    options: ApplyOptions & { readonly outputCount: number },
  ): readonly Value[] {
    const { attributes = {}, outputCount } = options;
    const symbols = inputs.map((input) => (input === undefined ? undefined : this.#symbolsOf(input.name)));
    const types = inferOutputs({
      operator,
      inputs,
      constants: inputs.map((input) => (input === undefined ? undefined : this.#constants.get(input.name))),
      symbols: symbols.map((known) => known?.values),
      attributes,
      outputCount,
    });
    if (types === undefined) throw new LearnError("onnx-invalid", `Operator ${operator} has no rule for its types.`);
    const outputs = types.slice(0, outputCount).map(({ dtype, shape }, index) => {
      const base = options.name ?? operator.toLowerCase();
      return { name: this.#fresh(index === 0 ? base : `${base}/${index}`), dtype, shape };
    });
    for (const { name, dtype, shape } of outputs) this.#types.set(name, { dtype, shape });
    const result = propagateSymbols({ operator, attributes, inputs: symbols, types: inputs });
    if (result !== undefined && outputs[0] !== undefined) this.#symbols.set(outputs[0].name, result);
    this.#nodes.push({
      name: `${operator}:${outputs[0]?.name ?? ""}`,
      operator,
      domain: "",
      inputs: inputs.map((input) => input?.name ?? ""),
      outputs: outputs.map(({ name }) => name),
      attributes,
    });
    return outputs;
  }

  /** Converts a value to another element type; does nothing when it has it already. */
  cast(value: Value, dtype: DataType): Value {
    if (value.dtype === dtype) return value;
    return this.apply("Cast", [value], { attributes: { to: dataTypeCode[dtype] } });
  }

  /** A value by its name. */
  value(name: string): Value {
    const type = this.#types.get(name);
    if (type === undefined) throw new LearnError("onnx-invalid", `The type of value "${name}" is not known.`);
    return { name, ...type };
  }

  /** Numbers of a value that are known here; undefined for one that is only known when the graph runs. */
  constantNumbers(name: string): number[] | undefined {
    const constant = this.#constants.get(name);
    if (constant !== undefined) return numbersOf(constant);
    const values = this.#symbols.get(name)?.values;
    return values !== undefined && isStatic(values) ? [...values] : undefined;
  }

  /**
   * Writes an operator as several nodes. The graph holds these nodes; who walks over {@link operations} sees one node
   * with the given inputs and the results, and can treat it as a whole.
   */
  group(operator: string, inputs: readonly (Value | undefined)[], build: () => readonly Value[]): readonly Value[] {
    const first = this.#nodes.length;
    const outputs = build();
    const node: Node = {
      name: `${operator}:${outputs[0]?.name ?? ""}`,
      operator,
      domain: "",
      inputs: inputs.map((input) => input?.name ?? ""),
      outputs: outputs.map(({ name }) => name),
      attributes: {},
    };
    this.#groups.push({ node, first, end: this.#nodes.length });
    return outputs;
  }

  /** The nodes added so far, in order, with each group as one node. */
  operations(): readonly Node[] {
    let next = 0;
    const operations: Node[] = [];
    for (const { node, first, end } of this.#groups) {
      operations.push(...this.#nodes.slice(next, first), node);
      next = end;
    }
    return [...operations, ...this.#nodes.slice(next)];
  }

  /** The node that computes a value. */
  producer(name: string): Node | undefined {
    return this.#nodes.find((node) => node.outputs.includes(name));
  }

  /** Ends the construction with the values that leave the graph, each under its public name. */
  finish(name: string, outputs: Readonly<Record<string, Value>>): Graph {
    const ports = Object.entries(outputs).map(([port, value]): GraphPort => {
      if (port === value.name) return value;
      this.#claim(port);
      this.#nodes.push({
        name: `Identity:${port}`,
        operator: "Identity",
        domain: "",
        inputs: [value.name],
        outputs: [port],
        attributes: {},
      });
      this.#types.set(port, { dtype: value.dtype, shape: value.shape });
      return { name: port, dtype: value.dtype, shape: value.shape };
    });
    return {
      name,
      inputs: [...this.#inputs],
      outputs: ports,
      nodes: [...this.#nodes],
      constants: new Map(this.#constants),
      types: new Map(this.#types),
    };
  }

  #symbolsOf(name: string): Symbols | undefined {
    const constant = this.#constants.get(name);
    return constant === undefined ? this.#symbols.get(name) : symbolsOf(constant);
  }

  #claim(name: string): void {
    if (this.#names.has(name)) throw new LearnError("onnx-invalid", `The graph already has a value named "${name}".`);
    this.#names.add(name);
  }

  #fresh(base: string): string {
    const count = this.#counters.get(base) ?? 0;
    const name = count === 0 ? base : `${base}_${count}`;
    this.#counters.set(base, count + 1);
    if (this.#names.has(name)) return this.#fresh(base);
    this.#names.add(name);
    return name;
  }
}

const poolKey = (tensor: Tensor): string =>
  `${tensor.dtype}[${tensor.shape.join()}]${Array.from<number | bigint>(tensor.values).join()}`;
