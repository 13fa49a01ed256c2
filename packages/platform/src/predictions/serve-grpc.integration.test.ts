import { Client, credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import type { TensorDatatype } from "@modelyard/contracts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DataPlane, datatypes, startDataPlane } from "../../../../tests/kit/data-plane.ts";
import { type GrpcMethod, healthMethods, inferenceMethods } from "./grpc-protocol.ts";

let plane: DataPlane;
let client: Client;
beforeAll(async () => {
  plane = await startDataPlane();
  client = new Client(plane.grpcAddress, credentials.createInsecure());
});
afterAll(async () => {
  client.close();
  await plane[Symbol.asyncDispose]();
});

const methodOf = (name: string): GrpcMethod => {
  const found = [...inferenceMethods, ...healthMethods].find((method) => method.name === name);
  if (found === undefined) throw new Error(`there is no method ${name}`);
  return found;
};

const metadataOf = (key: string | null): Metadata => {
  const metadata = new Metadata();
  if (key !== null) metadata.set("authorization", `Bearer ${key}`);
  return metadata;
};

interface CallOptions {
  readonly key?: string | null;
  readonly timeoutMs?: number;
}

const call = (name: string, message: object, { key = plane.key, timeoutMs = 10_000 }: CallOptions = {}) => {
  const { path, request, response } = methodOf(name);
  return new Promise<Record<string, unknown>>((resolve, reject) => {
    const options = { deadline: Date.now() + timeoutMs };
    client.makeUnaryRequest(path, request.encode, response.decode, message, metadataOf(key), options, (error, answer) =>
      error === null ? resolve(answer ?? {}) : reject(error),
    );
  });
};

const floats = (values: readonly number[], extra: object = {}) => ({
  model_name: "floats",
  inputs: [{ name: "fp32", datatype: "FP32", shape: [values.length / 3, 3], contents: { fp32_contents: values } }],
  ...extra,
});

interface InferAnswer {
  readonly id: string;
  readonly model_version: string;
  readonly outputs: readonly { readonly name: string; readonly datatype: string }[];
  readonly raw_output_contents: readonly Buffer[];
}
const infer = async (message: object, options?: CallOptions) =>
  (await call("ModelInfer", message, options)) as unknown as InferAnswer;

const contents: Readonly<Partial<Record<TensorDatatype, object>>> = {
  BOOL: { bool_contents: [true, false, true] },
  INT8: { int_contents: [-128, 0, 127] },
  INT16: { int_contents: [-32_768, 0, 32_767] },
  INT32: { int_contents: [-2_147_483_648, 0, 1] },
  INT64: { int64_contents: ["-9223372036854775808", "9007199254740993", "1"] },
  UINT8: { uint_contents: [0, 1, 255] },
  UINT16: { uint_contents: [0, 1, 65_535] },
  UINT32: { uint_contents: [0, 1, 4_294_967_295] },
  UINT64: { uint64_contents: ["18446744073709551615", "9007199254740993", "1"] },
  FP32: { fp32_contents: [1.5, -0, 3] },
  FP64: { fp64_contents: [0.1, -0, 1e300] },
  BYTES: { bytes_contents: ["", "grüße", "x"].map((text) => Buffer.from(text)) },
};
const array = (values: ArrayBufferView): Buffer => Buffer.from(values.buffer, values.byteOffset, values.byteLength);
const expected: Readonly<Partial<Record<TensorDatatype, Buffer>>> = {
  BOOL: Buffer.from([1, 0, 1]),
  INT8: array(Int8Array.of(-128, 0, 127)),
  INT16: array(Int16Array.of(-32_768, 0, 32_767)),
  INT32: array(Int32Array.of(-2_147_483_648, 0, 1)),
  INT64: array(BigInt64Array.of(-9223372036854775808n, 9007199254740993n, 1n)),
  UINT8: Buffer.from([0, 1, 255]),
  UINT16: array(Uint16Array.of(0, 1, 65_535)),
  UINT32: array(Uint32Array.of(0, 1, 4_294_967_295)),
  UINT64: array(BigUint64Array.of(18446744073709551615n, 9007199254740993n, 1n)),
  FP16: array(Uint16Array.of(1, 2, 3)),
  FP32: array(Float32Array.of(1.5, -0, 3)),
  FP64: array(Float64Array.of(0.1, -0, 1e300)),
  BYTES: Buffer.from("\0\0\0\0\u0007\0\0\0grüße\u0001\0\0\0x"),
};

describe("inference over gRPC", () => {
  test("takes every datatype as raw contents and gives it back bit by bit", async () => {
    const inputs = datatypes.map((datatype) => ({ name: datatype.toLowerCase(), datatype, shape: [1, 3] }));
    const raw = datatypes.map((datatype) => expected[datatype]);
    const answer = await infer({ model_name: "every", model_version: "4", id: "7", inputs, raw_input_contents: raw });
    expect(answer).toMatchObject({ id: "7", model_version: "4" });
    expect(answer.outputs.map(({ datatype }) => datatype)).toEqual(datatypes);
    expect(answer.raw_output_contents).toEqual(raw);
  });

  const typed = datatypes.filter((datatype) => contents[datatype] !== undefined);

  test.each(typed)("takes typed contents of %s, 64 bits without loss", async (datatype) => {
    const input = { name: datatype.toLowerCase(), datatype, shape: [1, 3], contents: contents[datatype] };
    const answer = await infer({ model_name: `only-${datatype.toLowerCase()}`, inputs: [input] });
    expect(answer.raw_output_contents).toEqual([expected[datatype]]);
  });

  test("half precision has no typed contents", async () => {
    expect(typed).toHaveLength(datatypes.length - 1);
    const input = { name: "fp16", datatype: "FP16", shape: [1, 3], contents: contents.FP32 };
    await expect(infer({ model_name: "only-fp16", inputs: [input] })).rejects.toMatchObject({
      details: expect.stringContaining("raw contents") as string,
    });
  });

  test.each<[string, object, number, RegExp]>([
    ["an unknown model", { model_name: "nowhere" }, status.NOT_FOUND, /no endpoint "nowhere"/],
    ["another version", floats([1, 2, 3], { model_version: "9" }), status.NOT_FOUND, /serves 4/],
    ["no inputs", { model_name: "floats" }, status.INVALID_ARGUMENT, /"fp32".*missing/],
    [
      "a wrong shape",
      { model_name: "floats", inputs: [{ name: "fp32", datatype: "FP32", shape: [1, 4] }] },
      status.INVALID_ARGUMENT,
      /"fp32" must have the shape/,
    ],
    [
      "both kinds of contents",
      floats([1, 2, 3], { raw_input_contents: [expected.FP32] }),
      status.INVALID_ARGUMENT,
      /one kind/,
    ],
    [
      "too few raw contents",
      { ...floats([1, 2, 3]), raw_input_contents: [expected.FP32, expected.FP32] },
      status.INVALID_ARGUMENT,
      /1 inputs came with 2/,
    ],
    ["a model without replicas", { model_name: "absent" }, status.UNAVAILABLE, /No replica/],
  ])("refuses %s with the catalogue's status", async (_, message, code, details) => {
    const error = await infer(message).then(
      () => null,
      (cause: ServiceError) => cause,
    );
    expect(error).toMatchObject({ code, details: expect.stringMatching(details) as string });
  });

  test("checks the key of every call, and what it may do", async () => {
    const refused = (options: CallOptions) =>
      infer(floats([1, 2, 3]), options).then(
        () => null,
        (error: ServiceError) => error.code,
      );
    expect(await refused({ key: null })).toBe(status.UNAUTHENTICATED);
    expect(await refused({ key: `${plane.key}x` })).toBe(status.UNAUTHENTICATED);
    expect(await refused({ key: plane.otherKey })).toBe(status.PERMISSION_DENIED);
    for (const name of [
      "ModelReady",
      "ModelMetadata",
      "ModelConfig",
      "ModelStatistics",
      "RepositoryIndex",
      "RepositoryModelLoad",
      "RepositoryModelUnload",
    ]) {
      const error = await call(name, { name: "floats", model_name: "floats" }, { key: null }).then(
        () => null,
        (cause: ServiceError) => cause,
      );
      // The repository's methods are checked by the control plane, which is not there.
      expect(error?.code).toBe(name.startsWith("Repository") ? status.UNAVAILABLE : status.UNAUTHENTICATED);
    }
  });

  test("answers a stream in order, failures among it as messages", async () => {
    const { path, request, response } = methodOf("ModelStreamInfer");
    const stream = client.makeBidiStreamRequest(path, request.encode, response.decode, metadataOf(plane.key), {});
    for (let i = 0; i < 100; i++)
      stream.write(i % 10 === 9 ? { model_name: "nowhere" } : floats([i, i, i], { id: String(i) }));
    stream.end();
    const answers: { error_message?: string; infer_response: InferAnswer | null }[] = [];
    for await (const answer of stream) answers.push(answer as (typeof answers)[number]);
    expect(answers).toHaveLength(100);
    for (const [i, answer] of answers.entries()) {
      if (i % 10 === 9) expect(answer.error_message).toMatch(/nowhere/);
      else
        expect(answer.infer_response).toMatchObject({
          id: String(i),
          raw_output_contents: [array(Float32Array.of(i, i, i))],
        });
    }
  });
});

describe("what it tells of itself over gRPC", () => {
  test("liveness, readiness, metadata, configuration and statistics", async () => {
    expect(await call("ServerLive", {}, { key: null })).toMatchObject({ live: true });
    expect(await call("ServerReady", {}, { key: null })).toMatchObject({ ready: true });
    expect(await call("ServerMetadata", {}, { key: null })).toMatchObject({ name: "modelyard" });
    expect(await call("ModelReady", { name: "floats" })).toMatchObject({ ready: true });
    expect(await call("ModelReady", { name: "absent" })).toMatchObject({ ready: false });
    const metadata = (await call("ModelMetadata", { name: "every", version: "4" })) as {
      inputs: { datatype: string }[];
    };
    expect(metadata.inputs.map(({ datatype }) => datatype)).toEqual(datatypes);
    const { config } = (await call("ModelConfig", { name: "floats" })) as { config: object };
    expect(config).toMatchObject({ name: "floats", max_batch_size: 8, input: [{ name: "fp32", data_type: 11 }] });
    await infer(floats([1, 2, 3]));
    const { model_stats: list } = (await call("ModelStatistics", { name: "floats" })) as {
      model_stats: { inference_count: unknown }[];
    };
    expect(Number(list[0]?.inference_count)).toBeGreaterThan(0);
  });

  test("gRPC's own health protocol", async () => {
    const serving = { status: 1 };
    expect(await call("Check", { service: "" }, { key: null })).toMatchObject(serving);
    expect(await call("Check", { service: "inference.GRPCInferenceService" }, { key: null })).toMatchObject(serving);
    await expect(call("Check", { service: "other" }, { key: null })).rejects.toMatchObject({ code: status.NOT_FOUND });
    const { path, request, response } = methodOf("Watch");
    const watch = client.makeServerStreamRequest(
      path,
      request.encode,
      response.decode,
      { service: "" },
      new Metadata(),
      {},
    );
    watch.on("error", () => {});
    for await (const message of watch) {
      expect(message).toMatchObject(serving);
      break;
    }
    watch.cancel();
  });
});
