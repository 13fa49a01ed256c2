import { deflateSync, gunzipSync, gzipSync } from "node:zlib";
import { errorCatalogue, InferResponse, ModelStatistics, type TensorDatatype } from "@modelyard/contracts";
import { Validator } from "@seriousme/openapi-schema-validator";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bodyBytesMax, type DataPlane, datatypes, startDataPlane } from "../../../../tests/kit/data-plane.ts";

let plane: DataPlane;
beforeAll(async () => {
  plane = await startDataPlane();
});
afterAll(() => plane[Symbol.asyncDispose]());

const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(plane.url + path, {
    ...init,
    headers: {
      authorization: `Bearer ${plane.key}`,
      "accept-encoding": "identity",
      "content-type": "application/json",
      ...init.headers,
    },
  });

const post = (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  ask(path, {
    method: "POST",
    headers,
    body: body instanceof Uint8Array ? Uint8Array.from(body) : JSON.stringify(body),
  });

/** Sends JSON and tensors behind it. */
const postBinary = (
  path: string,
  request: unknown,
  tensors: readonly Uint8Array[],
  headers: Record<string, string> = {},
): Promise<Response> => {
  const json = Buffer.from(JSON.stringify(request));
  return post(path, Buffer.concat([json, ...tensors]), {
    "inference-header-content-length": String(json.length),
    ...headers,
  });
};

/** The JSON of an answer and the tensors behind it, by name. */
const readBinary = async (response: Response) => {
  const bytes = Buffer.from(await response.arrayBuffer());
  const length = Number(response.headers.get("inference-header-content-length"));
  const answer = InferResponse.parse(JSON.parse(bytes.subarray(0, length).toString()));
  let at = length;
  const tensors = answer.outputs.map(({ name, parameters }) => {
    const size = Number(parameters?.["binary_data_size"] ?? 0);
    return [name, bytes.subarray(at, (at += size))] as const;
  });
  expect(at).toBe(bytes.length);
  return { answer, tensors: Object.fromEntries(tensors) };
};

const float = (values: readonly number[], extra: object = {}) => ({
  inputs: [{ name: "fp32", shape: [values.length / 3, 3], datatype: "FP32", data: values }],
  ...extra,
});

/** Three elements of a datatype as bytes: bits that show any confusion of order or sign. */
const sample = (datatype: TensorDatatype): Buffer => {
  if (datatype === "BYTES") {
    return Buffer.concat(
      ["", "grüße", "\r\n"].map((text) => {
        const bytes = Buffer.from(text);
        const length = Buffer.alloc(4);
        length.writeUInt32LE(bytes.length);
        return Buffer.concat([length, bytes]);
      }),
    );
  }
  if (datatype === "BOOL") return Buffer.from([1, 0, 1]);
  const width = /64/.test(datatype) ? 8 : /32/.test(datatype) ? 4 : /16/.test(datatype) ? 2 : 1;
  return Buffer.from(Array.from({ length: 3 * width }, (_, i) => (i * 67 + 129) % 256));
};

describe("the binary extension", () => {
  test("carries every datatype both ways in one request, bit by bit", async () => {
    const bytes = datatypes.map(sample);
    const inputs = datatypes.map((datatype, i) => ({
      name: datatype.toLowerCase(),
      datatype,
      shape: [1, 3],
      parameters: { binary_data_size: bytes[i]?.length },
    }));
    const response = await postBinary(
      "/v2/models/every/infer",
      { id: "a", inputs, parameters: { binary_data_output: true } },
      bytes,
    );
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/octet-stream");
    const { answer, tensors } = await readBinary(response);
    expect(answer).toMatchObject({ id: "a", model_name: "every", model_version: "4" });
    for (const [i, datatype] of datatypes.entries()) expect(tensors[`${datatype.toLowerCase()}_out`]).toEqual(bytes[i]);
  });

  test("mixes JSON and bytes among inputs and outputs; an output's own choice wins", async () => {
    const inputs = datatypes.map((datatype) => {
      const base = { name: datatype.toLowerCase(), datatype, shape: [1, 3] };
      if (datatype === "INT64") return { ...base, data: [1, 2, 3] };
      return { ...base, parameters: { binary_data_size: sample(datatype).length } };
    });
    const request = {
      inputs,
      parameters: { binary_data_output: true },
      outputs: [{ name: "int64_out", parameters: { binary_data: false } }, { name: "fp16_out" }],
    };
    const { answer, tensors } = await readBinary(
      await postBinary("/v2/models/every/infer", request, datatypes.filter((one) => one !== "INT64").map(sample)),
    );
    expect(answer.outputs[0]).toEqual({ name: "int64_out", datatype: "INT64", shape: [1, 3], data: [1, 2, 3] });
    expect(tensors["fp16_out"]).toEqual(sample("FP16"));
  });

  test("a raw request needs no JSON at all", async () => {
    const values = Float32Array.of(1.5, -2, 3);
    const { tensors } = await readBinary(
      await post("/v2/models/floats/infer", new Uint8Array(values.buffer), { "inference-header-content-length": "0" }),
    );
    expect(new Float32Array(Uint8Array.from(tensors["fp32_out"] ?? []).buffer)).toEqual(values);
    const text = await readBinary(
      await post("/v2/models/lines/infer", Buffer.from("grün"), { "inference-header-content-length": "0" }),
    );
    expect(text.tensors["bytes_out"]).toEqual(Buffer.from("\u0005\0\0\0grün"));
    const several = await post("/v2/models/texts/infer", Buffer.from("x"), { "inference-header-content-length": "0" });
    expect(await several.json()).toMatchObject({ code: "tensor-invalid" });
  });

  test("a text that the engine would cut off is refused, and takes nothing of its batch with it", async () => {
    const lines = (text: string) => ({ inputs: [{ name: "bytes", shape: [1], datatype: "BYTES", data: [text] }] });
    const answers = await Promise.all(["a", "b\0c", "d"].map((text) => post("/v2/models/lines/infer", lines(text))));
    expect(answers.map(({ status }) => status)).toEqual([200, 422, 200]);
  });

  test.each(["-1", "1e3", "abc", "99999999999"])("a header length of %s is refused", async (length) => {
    const response = await post("/v2/models/floats/infer", float([1, 2, 3]), {
      "inference-header-content-length": length,
    });
    expect([400, 422]).toContain(response.status);
    expect(await response.json()).toHaveProperty("error");
  });
});

describe("JSON", () => {
  test("keeps all digits of 64-bit numbers", async () => {
    const body =
      '{"inputs":[{"name":"int64","shape":[1,3],"datatype":"INT64","data":[9223372036854775807,-9223372036854775808,9007199254740993]}]}';
    const response = await ask("/v2/models/longs/infer", { method: "POST", body });
    expect(await response.text()).toContain('"data":[9223372036854775807,-9223372036854775808,9007199254740993]');
  });

  test("answers one version and refuses the others by name", async () => {
    expect((await post("/v2/models/floats/versions/4/infer", float([1, 2, 3]))).status).toBe(200);
    const other = await post("/v2/models/floats/versions/3/infer", float([1, 2, 3]));
    expect(other.status).toBe(404);
    expect(await other.json()).toMatchObject({
      code: "not-found",
      error: expect.stringContaining("serves 4") as string,
    });
    for (const path of ["", "/ready", "/config", "/stats"]) {
      expect((await ask(`/v2/models/floats/versions/4${path}`)).status).toBe(200);
      expect((await ask(`/v2/models/floats/versions/5${path}`)).status).toBe(404);
    }
  });

  test("gives the best classes as text when asked", async () => {
    const request = float([0.1, 0.7, 0.2], { outputs: [{ name: "fp32_out", parameters: { classification: 2 } }] });
    const answer = InferResponse.parse(await (await post("/v2/models/floats/infer", request)).json());
    expect(answer.outputs).toEqual([
      { name: "fp32_out", datatype: "BYTES", shape: [1, 2], data: ["0.700000:1:b", "0.200000:2:c"] },
    ]);
  });

  test("64 requests at once each get their own rows", async () => {
    const answers = await Promise.all(
      Array.from({ length: 64 }, async (_, i) => {
        const values = Array.from({ length: 3 * ((i % 4) + 1) }, (_, j) => i * 100 + j);
        const answer = InferResponse.parse(
          await (await post("/v2/models/floats/infer", float(values, { id: String(i) }))).json(),
        );
        expect(answer.id).toBe(String(i));
        return [values, answer.outputs[0]?.data];
      }),
    );
    for (const [sent, got] of answers) expect(got).toEqual(sent);
  });
});

describe("compressed bodies", () => {
  const values = Array.from({ length: 3000 }, (_, i) => i % 7);

  test.each([
    ["gzip", gzipSync],
    ["deflate", deflateSync],
  ] as const)("%s is taken and given", async (encoding, pack) => {
    const body = pack(JSON.stringify(float(values)));
    const response = await post("/v2/models/floats/infer", body, {
      "content-encoding": encoding,
      "accept-encoding": encoding,
    });
    expect(response.headers.get("content-encoding")).toBe(encoding);
    expect(InferResponse.parse(await response.json()).outputs[0]?.data).toEqual(values);
  });

  test("the length of the JSON counts before compression", async () => {
    const bytes = new Uint8Array(Float32Array.from(values).buffer);
    const json = Buffer.from(
      JSON.stringify({
        inputs: [{ name: "fp32", shape: [1000, 3], datatype: "FP32", parameters: { binary_data_size: bytes.length } }],
        parameters: { binary_data_output: true },
      }),
    );
    const response = await post("/v2/models/floats/infer", gzipSync(Buffer.concat([json, bytes])), {
      "content-encoding": "gzip",
      "accept-encoding": "gzip",
      "inference-header-content-length": String(json.length),
    });
    expect(response.headers.get("content-encoding")).toBe("gzip");
    expect((await readBinary(response)).tensors["fp32_out"]).toEqual(Buffer.from(bytes));
  });

  test("a bomb is refused by what it would become, a damaged stream as damaged", async () => {
    const bomb = gzipSync(Buffer.alloc(bodyBytesMax + 1, " "));
    expect(bomb.length).toBeLessThan(5000);
    const refused = await post("/v2/models/floats/infer", bomb, { "content-encoding": "gzip" });
    expect(await refused.json()).toMatchObject({ status: 413, code: "payload-too-large" });
    const damaged = await post("/v2/models/floats/infer", Buffer.from("no gzip"), { "content-encoding": "gzip" });
    expect(await damaged.json()).toMatchObject({ status: 422, code: "gzip-invalid" });
    const unknown = await post("/v2/models/floats/infer", Buffer.from("x"), { "content-encoding": "br" });
    expect(unknown.status).toBe(415);
    expect(gunzipSync(bomb).length).toBe(bodyBytesMax + 1);
  });
});

describe("TensorFlow Serving", () => {
  const predict = (name: string, request: unknown) => post(`/v1/models/${name}:predict`, request);

  test("rows in, rows out", async () => {
    expect(
      await (
        await predict("floats", {
          instances: [
            [1, 2, 3],
            [4, 5, 6],
          ],
        })
      ).json(),
    ).toEqual({
      predictions: [
        [1, 2, 3],
        [4, 5, 6],
      ],
    });
    expect(await (await predict("floats", { instances: [{ fp32: [1, 2, 3] }] })).json()).toEqual({
      predictions: [[1, 2, 3]],
    });
  });

  test("columns in, columns out; texts as base64", async () => {
    expect(await (await predict("floats", { inputs: [[1, 2, 3]] })).json()).toEqual({ outputs: [[1, 2, 3]] });
    expect(await (await predict("texts", { inputs: { bytes: [["a", { b64: "Yg==" }, "c"]] } })).json()).toEqual({
      outputs: [["a", "b", "c"]],
    });
  });

  test("versions and labels in the path", async () => {
    const request = { instances: [[1, 2, 3]] };
    expect((await post("/v1/models/floats/versions/4:predict", request)).status).toBe(200);
    expect((await post("/v1/models/floats/versions/3:predict", request)).status).toBe(404);
    expect((await post("/v1/models/floats/labels/champion:predict", request)).status).toBe(200);
    expect((await post("/v1/models/floats/labels/old:predict", request)).status).toBe(404);
    expect(await (await ask("/v1/models/floats/versions/4")).json()).toMatchObject({
      model_version_status: [{ version: "4", state: "AVAILABLE" }],
    });
    expect(await (await ask("/v1/models/floats/metadata")).json()).toMatchObject({ model_spec: { name: "floats" } });
  });

  test.each<[string, unknown]>([
    ["neither rows nor columns", {}],
    ["both", { instances: [[1, 2, 3]], inputs: [[1, 2, 3]] }],
    ["another signature", { signature_name: "other", instances: [[1, 2, 3]] }],
    ["rows of other lengths", { instances: [[1, 2, 3], [1]] }],
    ["a number", { instances: [1] }],
  ])("%s is refused with an `error`", async (_, request) => {
    const response = await predict("floats", request);
    expect(response.status).toBe(422);
    expect(((await response.json()) as { error: string }).error.length).toBeGreaterThan(20);
  });
});

describe("what it tells of itself", () => {
  test("metadata and configuration name every datatype", async () => {
    const metadata = (await (await ask("/v2/models/every")).json()) as {
      inputs: { datatype: string; shape: number[] }[];
    };
    expect(metadata.inputs.map(({ datatype }) => datatype)).toEqual(datatypes);
    expect(metadata.inputs[0]?.shape).toEqual([-1, 3]);
    const config = (await (await ask("/v2/models/every/config")).json()) as { max_batch_size: number; input: object[] };
    expect(config.max_batch_size).toBe(8);
    expect(config.input[0]).toEqual({ name: "fp32", data_type: "TYPE_FP32", dims: [3] });
  });

  test("statistics count requests, rows and runs", async () => {
    const read = async () =>
      ModelStatistics.parse(
        ((await (await ask("/v2/models/floats/stats")).json()) as { model_stats: unknown[] }).model_stats[0],
      );
    const before = await read();
    await post("/v2/models/floats/infer", float([1, 2, 3, 4, 5, 6]));
    await post("/v2/models/floats/infer", float([1]));
    const after = await read();
    expect(after.inference_count - before.inference_count).toBe(2);
    expect(after.execution_count - before.execution_count).toBe(1);
    expect(after.inference_stats.success.count - before.inference_stats.success.count).toBe(1);
    expect(after.inference_stats.fail.count - before.inference_stats.fail.count).toBe(1);
    expect(after.inference_stats.compute_infer.ns).toBeGreaterThan(before.inference_stats.compute_infer.ns);
    expect(after.batch_stats.some(({ batch_size: size }) => size === 2)).toBe(true);
  });

  test("a model's own OpenAPI document is valid and holds its tensors", async () => {
    const document = (await (await ask("/v2/models/floats/openapi.json")).json()) as Record<string, object>;
    expect(await new Validator().validate(document)).toMatchObject({ valid: true });
    expect(Object.keys(document["paths"] ?? {})).toContain("/v2/models/floats/infer");
    expect(JSON.stringify(document)).toContain('"const":"FP32"');
  });

  test("readiness: 503 for what has no replica, 404 for what is not there", async () => {
    expect((await ask("/v2/models/absent/ready")).status).toBe(503);
    expect((await ask("/v2/models/nowhere/ready")).status).toBe(404);
    const refused = await post("/v2/models/absent/infer", float([1, 2, 3]));
    expect(refused.status).toBe(errorCatalogue["endpoint-not-ready"].status);
    expect(refused.headers.get("retry-after")).toBe("1");
  });
});

test("a timeout that cannot be kept is answered as such", async () => {
  const response = await post("/v2/models/floats/infer", float([1, 2, 3]), { "x-request-timeout-ms": "0" });
  expect(response.status).toBe(422);
  const request = { ...float([1, 2, 3]), parameters: { timeout: 1 } };
  const late = await post("/v2/models/floats/infer", request);
  expect([429, 504]).toContain(late.status);
});

test.each(["text/xml", "application/jsonx", "application/json-seq; x"])(
  "the content type %s is refused",
  async (type) => {
    expect((await post("/v2/models/floats/infer", float([1, 2, 3]), { "content-type": type })).status).toBe(415);
  },
);
