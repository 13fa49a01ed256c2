import { readFile } from "node:fs/promises";
import { parseNpyHeader } from "@modelyard/learn";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { identityModel } from "../kit/identity-model.ts";
import { deploy, startTestPlatform, type TestPlatform, until } from "../kit/platform.ts";

const golden = new URL("../fixtures/golden/", import.meta.url);
const bytesOf = async (path: string): Promise<Uint8Array<ArrayBuffer>> =>
  Uint8Array.from(await readFile(new URL(path, golden)));

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform[Symbol.asyncDispose]());

const register = (name: string, content: Uint8Array<ArrayBuffer>, options = {}) =>
  platform.yard.models.register(name, options, { name: `${name}.onnx`, content });

/** Numbers of a NumPy file in C order. */
const arrayOf = async (path: string) => {
  const bytes = await bytesOf(path);
  const { element, shape, headerBytes } = parseNpyHeader(bytes);
  const data = bytes.slice(headerBytes).buffer;
  const values = element === "int64" ? new BigInt64Array(data) : new Float32Array(data);
  return { shape: [...shape], data: Array.from(values as ArrayLike<number | bigint>, Number) };
};

describe("models made elsewhere", () => {
  it.each([
    ["logistic-iris", "onnx/logistic_iris", "X", "x", "FP32", ["label", "probabilities"]],
    ["forest-cancer", "onnx/forest_cancer", "X", "x", "FP32", ["label", "probabilities"]],
    ["mlp-cancer", "onnx/mlp_cancer", "X", "x", "FP32", ["label", "probabilities"]],
    ["boosting", "onnx/boosting_diabetes", "X", "x", "FP32", ["variable"]],
    ["resnet", "onnx_torch/resnet", "pixels", "pixels", "FP32", ["logits"]],
    ["encoder", "onnx_torch/transformer_encoder", "ids", "ids", "INT64", ["probabilities"]],
    ["recurrent", "onnx_torch/lstm_gru", "series", "series", "FP32", ["logits"]],
  ] as const)("%s answers what its own framework answers", async (name, path, input, file, datatype, outputs) => {
    const version = await register(name, await bytesOf(`${path}.onnx`));
    expect(version).toMatchObject({ model: name, version: 1, aliases: ["champion"] });
    expect(version.artefact.lineage).toMatchObject({ importedFrom: `${name}.onnx` });
    await deploy(platform.yard, name);
    const given = await arrayOf(`${path}.${file}.npy`);
    const answer = await platform.yard.v2.infer(name, { inputs: [{ name: input, datatype, ...given }] });
    expect(answer.outputs.map((output) => output.name)).toEqual(outputs);
    for (const [i, output] of outputs.entries()) {
      const wanted = await arrayOf(`${path}.${output}.npy`);
      const got = answer.outputs[i]?.data as number[];
      expect(got).toHaveLength(wanted.data.length);
      expect(Math.max(...got.map((value, j) => Math.abs(value - (wanted.data[j] ?? Number.NaN))))).toBeLessThan(1e-4);
    }
    await platform.yard.endpoints.delete(name);
  });

  it("predicts from rows in words of the graph, and by class names when they are given", async () => {
    await register("texts", identityModel([{ name: "word", datatype: "BYTES", shape: ["n", 2] }]));
    await deploy(platform.yard, "texts");
    const answer = await platform.yard.endpoints.predict("texts", { inputs: [["a", "ß"]] });
    expect(answer.predictions).toEqual([{ value: ["a", "ß"] }]);
    await expect(platform.yard.endpoints.predict("texts", { input: [1, 2] })).rejects.toMatchObject({
      code: "tensor-invalid",
      message: expect.stringContaining('"word" holds 1') as string,
    });
    const scores = identityModel([{ name: "p", datatype: "FP32", shape: ["n", 3] }]);
    await register("classes", scores, { labels: ["cat", "dog", "bird"] });
    await deploy(platform.yard, "classes");
    const classes = await platform.yard.endpoints.predict("classes", { input: [0.25, 0.5, 0.25] });
    expect(classes.predictions[0]).toMatchObject({ label: "dog", probability: 0.5 });
    await expect(register("classes", scores, { labels: ["cat", "dog"] })).rejects.toMatchObject({
      code: "invalid-input",
      message: expect.stringContaining("p_out FP32 [-1, 3]") as string,
    });
  });

  it("gives the same file the version that it is already", async () => {
    const file = await bytesOf("onnx/residual_net.onnx");
    expect((await register("twice", file)).version).toBe(1);
    expect((await register("twice", file)).version).toBe(1);
    expect((await register("twice", await bytesOf("onnx/seed_cnn.onnx"))).version).toBe(2);
  });

  it.each(["cycle", "dims_lie", "empty", "external_absolute", "external_parent", "text", "truncated"])(
    "refuses %s.onnx and keeps nothing of it",
    async (name) => {
      await expect(register("refused", await bytesOf(`malformed/${name}.onnx`))).rejects.toMatchObject({
        code: "onnx-invalid",
        status: 422,
      });
      await expect(platform.yard.models.show("refused")).rejects.toMatchObject({ code: "not-found" });
    },
  );

  it("shows why a graph that the engine does not know is not served, and goes on serving the rest", async () => {
    await register("unknown", await bytesOf("malformed/unknown_operator.onnx"));
    await platform.yard.endpoints.create({ name: "unknown", model: "unknown@champion" });
    await until(async () => (await platform.yard.endpoints.show("unknown")).state === "failed", 60_000);
    expect((await platform.yard.endpoints.show("unknown")).replicas[0]?.reason).toMatch(/cannot load the graph/);
    await expect(platform.yard.v2.infer("unknown", { inputs: [] as never })).rejects.toMatchObject({ status: 503 });
    expect((await platform.yard.endpoints.predict("texts", { input: ["a", "b"] })).predictions).toHaveLength(1);
  });
});
