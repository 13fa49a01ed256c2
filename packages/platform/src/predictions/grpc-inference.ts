import type { TensorSpec } from "@modelyard/contracts";
import protobuf from "protobufjs";
import { PlatformError } from "../foundation/index.ts";
import type { Tensor, TensorElements } from "../runtimes/index.ts";
import { readBinaryData, textIn, writeBinaryData } from "./binary-tensors.ts";
import { inferRequestType, inferResponseType } from "./grpc-protocol.ts";
import {
  type InferenceRequest,
  type ModelTensors,
  type OutputWish,
  takeInputs,
  takeOutputs,
  type WireInput,
  wrongTensor,
} from "./inference-request.ts";
import { readJsonData } from "./json-tensors.ts";
import { type AnsweringModel, outputTensor } from "./write-inference-response.ts";

/** A 64-bit integer as the protobuf library gives it. */
type Wide = number | { readonly high: number; readonly low: number; readonly unsigned: boolean };

interface Parameter {
  readonly int64_param?: Wide;
  readonly uint64_param?: Wide;
}
type Parameters = Readonly<Record<string, Parameter>>;

interface InputMessage {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly Wide[];
  readonly contents: Readonly<Record<string, readonly unknown[]>> | null;
}

interface RequestMessage {
  readonly id: string;
  readonly parameters: Parameters;
  readonly inputs: readonly InputMessage[];
  readonly outputs: readonly { readonly name: string; readonly parameters: Parameters }[];
  readonly raw_input_contents: readonly Uint8Array[];
}

const exactly = (value: Wide): bigint => {
  if (typeof value === "number") return BigInt(value);
  const bits = (BigInt(value.high >>> 0) << 32n) | BigInt(value.low >>> 0);
  return value.unsigned ? bits : BigInt.asIntN(64, bits);
};

const wholeParameter = (parameters: Parameters, name: string): number => {
  const { int64_param: signed, uint64_param: unsigned } = parameters[name] ?? {};
  const value = Number(exactly(signed ?? unsigned ?? 0));
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw wrongTensor(`The parameter \`${name}\` must be a whole number from 0, but ${value} came.`);
};

/** Which list of the contents holds a datatype. */
const fieldOf: Readonly<Partial<Record<TensorSpec["datatype"], string>>> = {
  BOOL: "bool_contents",
  INT8: "int_contents",
  INT16: "int_contents",
  INT32: "int_contents",
  INT64: "int64_contents",
  UINT8: "uint_contents",
  UINT16: "uint_contents",
  UINT32: "uint_contents",
  UINT64: "uint64_contents",
  FP32: "fp32_contents",
  FP64: "fp64_contents",
  BYTES: "bytes_contents",
};

const readContents = (
  contents: NonNullable<InputMessage["contents"]>,
  spec: TensorSpec,
  shape: readonly number[],
): TensorElements => {
  const field = fieldOf[spec.datatype];
  if (field === undefined) {
    throw wrongTensor(
      `Input "${spec.name}" is ${spec.datatype}, which has no typed contents. Send it as raw contents.`,
    );
  }
  const values = contents[field] ?? [];
  if (spec.datatype === "BYTES") {
    return readJsonData(
      (values as readonly Uint8Array[]).map((bytes) => textIn(bytes, spec.name)),
      spec,
      shape,
    );
  }
  const wide = spec.datatype === "INT64" || spec.datatype === "UINT64";
  return readJsonData(wide ? (values as readonly Wide[]).map(exactly) : values, spec, shape);
};

const wireInputs = ({ inputs, raw_input_contents: raw }: RequestMessage): WireInput[] => {
  if (raw.length > 0 && raw.length !== inputs.length) {
    throw wrongTensor(
      `${inputs.length} inputs came with ${raw.length} raw contents. Send one for each input, in their order.`,
    );
  }
  return inputs.map(({ name, datatype, shape, contents }, i) => {
    const bytes = raw[i];
    if (bytes !== undefined && contents !== null) {
      throw wrongTensor(`Input "${name}" has typed contents beside raw ones. Send one kind in a request.`);
    }
    return {
      name,
      datatype,
      shape: shape.map((size) => Number(exactly(size))),
      read: (spec, sizes) =>
        bytes === undefined ? readContents(contents ?? {}, spec, sizes) : readBinaryData(bytes, spec, sizes),
    };
  });
};

const decode = (body: Uint8Array): RequestMessage => {
  try {
    return inferRequestType.decode(body) as unknown as RequestMessage;
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    throw new PlatformError("invalid-input", "The message is no ModelInferRequest. Send it again.", { cause });
  }
};

/**
 * Reads a `ModelInferRequest`.
 * @throws PlatformError `invalid-input`; `tensor-invalid` saying which input, what was expected and what came.
 */
export const readGrpcRequest = (body: Uint8Array, model: ModelTensors): InferenceRequest => {
  const message = decode(body);
  const wishes = message.outputs.map(({ name, parameters }): OutputWish => ({
    name,
    binary: true,
    classes: wholeParameter(parameters, "classification"),
  }));
  return {
    id: message.id,
    tensors: takeInputs(wireInputs(message), model),
    outputs: takeOutputs(wishes, model, true),
    priority: wholeParameter(message.parameters, "priority"),
    timeoutMs: wholeParameter(message.parameters, "timeout") / 1000,
  };
};

/** Writes a `ModelInferResponse` with raw contents. */
export const writeGrpcResponse = (
  request: Pick<InferenceRequest, "id" | "outputs">,
  tensors: readonly Tensor[],
  model: AnsweringModel,
): Uint8Array => {
  const outputs = request.outputs.map((wanted) => ({
    name: model.outputs[wanted.index]?.name ?? "",
    tensor: outputTensor(tensors[wanted.index] as Tensor, wanted, model),
  }));
  const message = {
    model_name: model.name,
    model_version: String(model.version),
    id: request.id ?? "",
    outputs: outputs.map(({ name, tensor: { datatype, shape } }) => ({ name, datatype, shape })),
    raw_output_contents: outputs.map(({ tensor }) => writeBinaryData(tensor)),
  };
  return inferResponseType.encode(message).finish();
};

const nameField = 1;
const versionField = 2;

/**
 * Finds who a `ModelInferRequest` is for without reading the rest.
 * @throws PlatformError `invalid-input` when the bytes are no message.
 */
export const targetOf = (body: Uint8Array): { readonly name: string; readonly version: string } => {
  const reader = protobuf.Reader.create(body);
  let [name, version] = ["", ""];
  try {
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      const field = tag >>> 3;
      if (field === nameField && (tag & 7) === 2) name = reader.string();
      else if (field === versionField && (tag & 7) === 2) version = reader.string();
      else reader.skipType(tag & 7);
      // Clients write fields in their order: what follows the version is the tensors.
      if (field > versionField && name !== "") break;
    }
  } catch (cause) {
    throw new PlatformError("invalid-input", "The message is no ModelInferRequest. Send it again.", { cause });
  }
  return { name, version };
};
