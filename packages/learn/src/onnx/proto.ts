import protobuf from "protobufjs/light.js";

type FieldSpec = readonly [type: string, id: number, rule?: "repeated"];

const fields = (specs: Readonly<Record<string, FieldSpec>>): protobuf.IType => ({
  fields: Object.fromEntries(
    Object.entries(specs).map(([name, [type, id, rule]]) => [
      name,
      // proto2 packs nothing by default; ONNX packs exactly the numeric lists of tensors.
      rule === undefined ? { type, id } : { type, id, rule, options: { packed: packedFields.has(name) } },
    ]),
  ),
});

const packedFields = new Set(["floatData", "int32Data", "int64Data", "doubleData", "uint64Data"]);

/**
 * The messages of ONNX's protobuf format that this codec reads and writes (onnx/onnx.proto3 of the ONNX project);
 * fields left out are skipped when read.
 */
const root = protobuf.Root.fromJSON({
  nested: {
    ModelProto: fields({
      irVersion: ["int64", 1],
      producerName: ["string", 2],
      producerVersion: ["string", 3],
      domain: ["string", 4],
      modelVersion: ["int64", 5],
      docString: ["string", 6],
      graph: ["GraphProto", 7],
      opsetImport: ["OperatorSetIdProto", 8, "repeated"],
      metadataProps: ["StringStringEntryProto", 14, "repeated"],
      functions: ["FunctionProto", 25, "repeated"],
    }),
    OperatorSetIdProto: fields({ domain: ["string", 1], version: ["int64", 2] }),
    StringStringEntryProto: fields({ key: ["string", 1], value: ["string", 2] }),
    FunctionProto: fields({
      name: ["string", 1],
      input: ["string", 4, "repeated"],
      node: ["NodeProto", 7, "repeated"],
      domain: ["string", 10],
    }),
    GraphProto: fields({
      node: ["NodeProto", 1, "repeated"],
      name: ["string", 2],
      initializer: ["TensorProto", 5, "repeated"],
      docString: ["string", 10],
      input: ["ValueInfoProto", 11, "repeated"],
      output: ["ValueInfoProto", 12, "repeated"],
      valueInfo: ["ValueInfoProto", 13, "repeated"],
      sparseInitializer: ["SparseTensorProto", 15, "repeated"],
    }),
    SparseTensorProto: fields({
      values: ["TensorProto", 1],
      indices: ["TensorProto", 2],
      dims: ["int64", 3, "repeated"],
    }),
    NodeProto: fields({
      input: ["string", 1, "repeated"],
      output: ["string", 2, "repeated"],
      name: ["string", 3],
      opType: ["string", 4],
      attribute: ["AttributeProto", 5, "repeated"],
      docString: ["string", 6],
      domain: ["string", 7],
    }),
    AttributeProto: fields({
      name: ["string", 1],
      f: ["float", 2],
      i: ["int64", 3],
      s: ["bytes", 4],
      t: ["TensorProto", 5],
      g: ["GraphProto", 6],
      sparseTensor: ["SparseTensorProto", 22],
      floats: ["float", 7, "repeated"],
      ints: ["int64", 8, "repeated"],
      strings: ["bytes", 9, "repeated"],
      tensors: ["TensorProto", 10, "repeated"],
      graphs: ["GraphProto", 11, "repeated"],
      type: ["int32", 20],
    }),
    TensorProto: fields({
      dims: ["int64", 1, "repeated"],
      dataType: ["int32", 2],
      floatData: ["float", 4, "repeated"],
      int32Data: ["int32", 5, "repeated"],
      stringData: ["bytes", 6, "repeated"],
      int64Data: ["int64", 7, "repeated"],
      name: ["string", 8],
      rawData: ["bytes", 9],
      doubleData: ["double", 10, "repeated"],
      uint64Data: ["uint64", 11, "repeated"],
      externalData: ["StringStringEntryProto", 13, "repeated"],
      dataLocation: ["int32", 14],
    }),
    ValueInfoProto: fields({ name: ["string", 1], type: ["TypeProto", 2] }),
    TypeProto: fields({ tensorType: ["TensorTypeProto", 1] }),
    TensorTypeProto: fields({ elemType: ["int32", 1], shape: ["TensorShapeProto", 2] }),
    TensorShapeProto: fields({ dim: ["DimensionProto", 1, "repeated"] }),
    DimensionProto: fields({ dimValue: ["int64", 1], dimParam: ["string", 2] }),
  },
});

/** The outermost message of an ONNX file. */
export const modelProto: protobuf.Type = root.lookupType("ModelProto");

/** A 64-bit integer as the protobuf library hands it over. */
export type Int64 = number | { toNumber(): number };

/** A tensor as it stands in the file; lists left out are empty. */
export interface TensorMessage {
  readonly dims?: readonly Int64[];
  readonly dataType?: number;
  readonly floatData?: readonly number[];
  readonly int32Data?: readonly number[];
  readonly stringData?: readonly Uint8Array[];
  readonly int64Data?: readonly Int64[];
  readonly name?: string;
  readonly rawData?: Uint8Array;
  readonly doubleData?: readonly number[];
  readonly uint64Data?: readonly Int64[];
  readonly externalData?: readonly unknown[];
  readonly dataLocation?: number;
}

/** A tensor of mostly zeros as it stands in the file. */
export interface SparseTensorMessage {
  readonly values?: TensorMessage;
  readonly indices?: TensorMessage;
}

/** A function that a file defines for itself. */
interface FunctionMessage {
  readonly name?: string;
  readonly domain?: string;
  readonly input?: readonly string[];
  readonly node?: readonly NodeMessage[];
}

/** An attribute as it stands in the file. */
export interface AttributeMessage {
  readonly name?: string;
  readonly type?: number;
  readonly f?: number;
  readonly i?: Int64;
  readonly s?: Uint8Array;
  readonly t?: TensorMessage;
  readonly g?: GraphMessage;
  readonly tensors?: readonly TensorMessage[];
  readonly graphs?: readonly GraphMessage[];
  readonly sparseTensor?: SparseTensorMessage;
  readonly floats?: readonly number[];
  readonly ints?: readonly Int64[];
  readonly strings?: readonly Uint8Array[];
}

/** A node as it stands in the file. */
export interface NodeMessage {
  readonly input?: readonly string[];
  readonly output?: readonly string[];
  readonly name?: string;
  readonly opType?: string;
  readonly domain?: string;
  readonly attribute?: readonly AttributeMessage[];
}

/** A dimension as it stands in the file. */
export interface DimensionMessage {
  readonly dimValue?: Int64;
  readonly dimParam?: string;
}

/** A graph's input or output as it stands in the file. */
export interface ValueInfoMessage {
  readonly name?: string;
  readonly type?: {
    readonly tensorType?: {
      readonly elemType?: number;
      readonly shape?: { readonly dim?: readonly DimensionMessage[] };
    };
  };
}

/** A graph as it stands in the file. */
export interface GraphMessage {
  readonly node?: readonly NodeMessage[];
  readonly name?: string;
  readonly initializer?: readonly TensorMessage[];
  readonly input?: readonly ValueInfoMessage[];
  readonly output?: readonly ValueInfoMessage[];
  readonly sparseInitializer?: readonly SparseTensorMessage[];
}

/** A file as a whole. */
export interface ModelMessage {
  readonly irVersion?: Int64;
  readonly producerName?: string;
  readonly graph?: GraphMessage;
  readonly opsetImport?: readonly { readonly domain?: string; readonly version?: Int64 }[];
  readonly metadataProps?: readonly { readonly key?: string; readonly value?: string }[];
  readonly functions?: readonly FunctionMessage[];
}
