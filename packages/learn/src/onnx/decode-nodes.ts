import { isTensor } from "./attributes.ts";
import { decodeTensor, invalidModel, numberOf } from "./decode-tensor.ts";
import type { Attribute, Node } from "./graph.ts";
import type { AttributeMessage, NodeMessage } from "./proto.ts";
import type { Tensor, TensorType } from "./tensor.ts";
import { utf8Text } from "./text.ts";

const decodeAttribute = (message: AttributeMessage, node: string): Attribute => {
  switch (message.type ?? 0) {
    case 1:
      return { float: message.f ?? 0 };
    case 2:
      return numberOf(message.i);
    case 3:
      return utf8Text(message.s ?? new Uint8Array());
    case 4:
      return decodeTensor(message.t ?? {});
    case 6:
      return { floats: [...(message.floats ?? [])] };
    case 7:
      return (message.ints ?? []).map(numberOf);
    case 8:
      return (message.strings ?? []).map(utf8Text);
    default:
      throw invalidModel(
        `the attribute "${message.name ?? ""}" of the node "${node}" is a subgraph or of an unknown type; loops and branches are not supported`,
      );
  }
};

const constantOf = (node: Node): Tensor => {
  const value = node.attributes["value"];
  if (value !== undefined && isTensor(value)) return value;
  throw invalidModel(`the constant "${node.name}" has no tensor as its value`);
};

const decodeNode = (message: NodeMessage): Node => {
  const name = message.name || `${message.opType ?? ""}:${message.output?.[0] ?? ""}`;
  return {
    name,
    operator: message.opType ?? "",
    domain: message.domain === "ai.onnx" ? "" : (message.domain ?? ""),
    inputs: [...(message.input ?? [])],
    outputs: [...(message.output ?? [])],
    attributes: Object.fromEntries(
      (message.attribute ?? []).map((attribute) => [attribute.name ?? "", decodeAttribute(attribute, name)]),
    ),
  };
};

/** Every value must be there before it is used; that also refuses cycles. */
const checkOrder = (node: Node, known: Set<string>, made: ReadonlySet<string>): void => {
  for (const name of node.inputs) {
    if (name === "" || known.has(name)) continue;
    const cause = made.has(name)
      ? "which is only computed later: the graph has a cycle, or its nodes are out of order"
      : "which nothing computes";
    throw invalidModel(`the node "${node.name}" uses the value "${name}", ${cause}`);
  }
  for (const name of node.outputs) {
    if (name === "") continue;
    if (known.has(name)) throw invalidModel(`the value "${name}" is computed twice`);
    known.add(name);
  }
};

/** Reads nodes in their order; `Constant` nodes become constants. */
export const decodeNodes = (
  messages: readonly NodeMessage[],
  types: Map<string, TensorType>,
  constants: Map<string, Tensor>,
): Node[] => {
  const known = new Set(types.keys());
  const made = new Set(messages.flatMap(({ output }) => output ?? []));
  const nodes: Node[] = [];
  for (const message of messages) {
    const node = decodeNode(message);
    checkOrder(node, known, made);
    const [output] = node.outputs;
    if (node.operator === "Constant" && node.domain === "" && output !== undefined) {
      const constant = constantOf(node);
      constants.set(output, constant);
      types.set(output, { dtype: constant.dtype, shape: constant.shape });
    } else {
      nodes.push(node);
    }
  }
  return nodes;
};
