import { integerAttribute } from "./attributes.ts";
import type { Graph, Node } from "./graph.ts";
import { elementCount, isStatic } from "./tensor.ts";

const lengthsOf = (graph: Graph, name: string | undefined): readonly number[] => {
  const shape = graph.types.get(name ?? "")?.shape;
  return shape !== undefined && isStatic(shape) ? shape : [];
};

const multiplications = (graph: Graph, { operator, inputs, outputs, attributes }: Node): number => {
  const [a, b] = [lengthsOf(graph, inputs[0]), lengthsOf(graph, inputs[1])];
  const result = elementCount(lengthsOf(graph, outputs[0]));
  switch (operator) {
    case "MatMul":
      return result * (a.at(-1) ?? 1);
    case "Gemm":
      return result * (a[integerAttribute(attributes, "transA", 0) === 1 ? 0 : 1] ?? 1);
    case "Conv":
      return result * elementCount(b.slice(1));
    case "ConvTranspose":
      return elementCount(a) * elementCount(b.slice(1));
    default:
      return 0;
  }
};

/** Floating-point operations of a graph's matrix products and convolutions, two for each multiplication; open lengths count 1. */
export const countOperations = (graph: Graph): number =>
  graph.nodes.reduce((sum, node) => sum + 2 * multiplications(graph, node), 0);
