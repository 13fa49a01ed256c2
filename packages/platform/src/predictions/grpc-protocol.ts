import { readFileSync } from "node:fs";
import protobuf from "protobufjs";

const rootOf = (file: string): protobuf.Root =>
  protobuf.parse(readFileSync(new URL(file, import.meta.url), "utf8"), { keepCase: true }).root;

const inference = rootOf("inference.proto");
const health = rootOf("health.proto");

/** Reads and writes messages of one type. */
export interface MessageCodec {
  readonly decode: (bytes: Uint8Array) => Record<string, unknown>;
  readonly encode: (message: object) => Buffer;
}

const codecOf = (type: protobuf.Type): MessageCodec => ({
  decode: (bytes) => type.decode(bytes),
  encode: (message) => Buffer.from(type.encode(type.fromObject(message)).finish()),
});

/** An infer request as it is read; what is left out is empty. */
export const inferRequestType: protobuf.Type = inference.lookupType("inference.ModelInferRequest");
/** An infer answer. */
export const inferResponseType: protobuf.Type = inference.lookupType("inference.ModelInferResponse");

/** One method of a service. */
export interface GrpcMethod {
  readonly name: string;
  readonly path: string;
  readonly request: MessageCodec;
  readonly response: MessageCodec;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
}

const methodsOf = (root: protobuf.Root, name: string): GrpcMethod[] => {
  const service = root.lookupService(name);
  return service.methodsArray.map((method) => ({
    name: method.name,
    path: `/${name}/${method.name}`,
    request: codecOf(service.lookupType(method.requestType)),
    response: codecOf(service.lookupType(method.responseType)),
    requestStream: method.requestStream === true,
    responseStream: method.responseStream === true,
  }));
};

/** Methods of the Open Inference Protocol. */
export const inferenceMethods: readonly GrpcMethod[] = methodsOf(inference, "inference.GRPCInferenceService");
/** Methods of gRPC's health protocol. */
export const healthMethods: readonly GrpcMethod[] = methodsOf(health, "grpc.health.v1.Health");
