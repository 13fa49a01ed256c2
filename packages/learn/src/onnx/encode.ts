import { isFloat, isFloats, isTensor } from "./attributes.ts";
import { dataTypeCode } from "./builder.ts";
import type { Attribute, Graph, GraphPort, Node } from "./graph.ts";
import { prune } from "./prune.ts";
import { modelProto } from "./proto.ts";
import type { AttributeMessage, ModelMessage, NodeMessage, TensorMessage, ValueInfoMessage } from "./proto.ts";
import type { Tensor } from "./tensor.ts";
import { utf8Bytes } from "./text.ts";

/** What a file says beside its graph. */
export interface EncodeOptions {
  /** Texts stored with the model, by key. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Version of ONNX's own operator set; default 18. */
  readonly operatorSet?: number;
}

const operatorSetVersion = 18;
const irVersion = 8;

const bytesOf = ({ values }: Tensor): Uint8Array => new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

const tensorMessage = (tensor: Tensor, name?: string): TensorMessage => ({
  dims: [...tensor.shape],
  dataType: dataTypeCode[tensor.dtype],
  ...(name === undefined ? {} : { name }),
  rawData: bytesOf(tensor),
});

const attributeMessage = (name: string, value: Attribute): AttributeMessage => {
  if (typeof value === "number") return { name, type: 2, i: value };
  if (typeof value === "string") return { name, type: 3, s: utf8Bytes(value) };
  if (isTensor(value)) return { name, type: 4, t: tensorMessage(value) };
  if (isFloat(value)) return { name, type: 1, f: value.float };
  if (isFloats(value)) return { name, type: 6, floats: value.floats };
  const items: readonly (number | string)[] = value;
  if (items.every((item) => typeof item === "number")) return { name, type: 7, ints: items };
  return { name, type: 8, strings: items.map((item) => utf8Bytes(String(item))) };
};

const nodeMessage = (node: Node): NodeMessage => ({
  input: node.inputs,
  output: node.outputs,
  name: node.name,
  opType: node.operator,
  domain: node.domain,
  attribute: Object.entries(node.attributes).map(([name, value]) => attributeMessage(name, value)),
});

const valueInfo = ({ name, dtype, shape }: GraphPort): ValueInfoMessage => ({
  name,
  type: {
    tensorType: {
      elemType: dataTypeCode[dtype],
      shape: { dim: shape.map((length) => (typeof length === "number" ? { dimValue: length } : { dimParam: length })) },
    },
  },
});

/** Writes what the outputs of a graph need as the bytes of an ONNX file. Equal graphs give equal bytes. */
export const encodeModel = (whole: Graph, options: EncodeOptions = {}): Uint8Array => {
  const graph = prune(whole);
  const message: ModelMessage = {
    irVersion,
    producerName: "modelyard",
    opsetImport: [{ domain: "", version: options.operatorSet ?? operatorSetVersion }],
    metadataProps: Object.entries(options.metadata ?? {}).map(([key, value]) => ({ key, value })),
    graph: {
      name: graph.name,
      node: graph.nodes.map(nodeMessage),
      initializer: [...graph.constants].map(([name, constant]) => tensorMessage(constant, name)),
      input: graph.inputs.map(valueInfo),
      output: graph.outputs.map(valueInfo),
    },
  };
  return modelProto.encode(message).finish();
};
