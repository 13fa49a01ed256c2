import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { LearnError } from "../errors.ts";
import { onnxRuntimeExecutor } from "../onnxruntime-node/index.ts";
import { GraphBuilder } from "./builder.ts";
import { decodeModel } from "./decode.ts";
import { encodeModel } from "./encode.ts";

const golden = new URL("../../../../tests/fixtures/golden/", import.meta.url);
const bytesOf = async (path: string): Promise<Uint8Array> => new Uint8Array(await readFile(new URL(path, golden)));

const refused = (bytes: Uint8Array): LearnError => {
  try {
    decodeModel(bytes);
  } catch (error) {
    if (error instanceof LearnError) return error;
    throw error;
  }
  throw new Error("The model was accepted.");
};

it.each([
  ["cycle", /cycle/],
  ["dims_lie", /claims the shape/],
  ["empty", /no graph/],
  ["external_absolute", /another file/],
  ["external_missing", /another file/],
  ["external_parent", /another file/],
  ["text", /not an ONNX model|no graph/],
  ["truncated", /not an ONNX model/],
  ["unknown_operator", /not known/],
])("refuses %s.onnx with a coded error that says why", async (name, reason) => {
  const error = refused(await bytesOf(`malformed/${name}.onnx`));
  expect(error.code).toBe("onnx-invalid");
  expect(error.message).toMatch(reason);
});

it("refuses a valid model that was cut off anywhere", async () => {
  const bytes = await bytesOf("onnx/seed_cnn.onnx");
  for (let length = 0; length < bytes.length; length += Math.ceil(bytes.length / 200)) {
    expect(refused(bytes.subarray(0, length)).code).toBe("onnx-invalid");
  }
});

it.each(["seed_cnn", "residual_net"])(
  "gives %s.onnx back with equal results after decoding and encoding",
  async (name) => {
    const bytes = await bytesOf(`onnx/${name}.onnx`);
    const { graph } = decodeModel(bytes);
    const again = encodeModel(graph);
    const [port] = graph.inputs;
    if (port === undefined) throw new Error("The fixture has no input.");
    const shape = port.shape.map((length) => (typeof length === "number" ? length : 2));
    const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i));
    const executor = onnxRuntimeExecutor();
    const results = [];
    for (const model of [bytes, again]) {
      await using session = await executor.load(model);
      const outputs = await session.run({ [port.name]: { dtype: "float32", shape, values } });
      results.push(Array.from(Object.values(outputs)[0]?.values as Float32Array));
    }
    expect(results[0]?.length).toBeGreaterThan(0);
    expect(results[1]).toEqual(results[0]);
  },
);

it("keeps names, types, attributes and constants of a graph", () => {
  const builder = new GraphBuilder();
  const x = builder.input("x", "float32", ["N", 3, 8, 8]);
  const w = builder.constant({ dtype: "float32", shape: [2, 3, 3, 3], values: new Float32Array(54).fill(0.5) }, "w");
  const y = builder.apply("Conv", [x, w], { attributes: { kernel_shape: [3, 3], pads: [1, 1, 1, 1] } });
  const graph = builder.finish("g", { y: builder.apply("LeakyRelu", [y], { attributes: { alpha: { float: 0.25 } } }) });
  const decoded = decodeModel(encodeModel(graph, { metadata: { origin: "test" } }));
  expect(decoded.graph).toEqual(graph);
  expect(decoded.metadata).toEqual({ origin: "test" });
});
