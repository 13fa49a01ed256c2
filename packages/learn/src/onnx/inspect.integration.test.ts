import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { LearnError } from "../errors.ts";
import { inspectModel } from "./inspect.ts";

const golden = new URL("../../../../tests/fixtures/golden/", import.meta.url);
const bytesOf = async (path: string): Promise<Uint8Array> => new Uint8Array(await readFile(new URL(path, golden)));

const refused = (bytes: Uint8Array): LearnError => {
  try {
    inspectModel(bytes);
  } catch (error) {
    if (error instanceof LearnError) return error;
    throw error;
  }
  throw new Error("The model was accepted.");
};

/** A protobuf field of bytes. */
const field = (number: number, value: readonly number[]): number[] => {
  const length: number[] = [];
  for (let rest = value.length; ; rest = Math.floor(rest / 128)) {
    length.push(rest > 127 ? (rest % 128) + 128 : rest);
    if (rest <= 127) break;
  }
  return [number * 8 + 2, ...length, ...value];
};

describe("a model of any operators is checked before native code reads it", () => {
  it.each([
    ["cycle", /before anything computes it/],
    ["dims_lie", /claims/],
    ["empty", /no graph/],
    ["external_absolute", /another file/],
    ["external_missing", /another file/],
    ["external_parent", /another file/],
    ["text", /not an ONNX model|no graph/],
    ["truncated", /not an ONNX model/],
  ])("refuses %s.onnx with a coded error that says why", async (name, reason) => {
    const error = refused(await bytesOf(`malformed/${name}.onnx`));
    expect(error.code).toBe("onnx-invalid");
    expect(error.message).toMatch(reason);
  });

  it("refuses a valid model that was cut off anywhere", async () => {
    const bytes = await bytesOf("onnx_torch/lstm_gru.onnx");
    for (let length = 0; length < bytes.length; length += 64) {
      expect(refused(bytes.subarray(0, length)).code).toBe("onnx-invalid");
    }
  });

  it("refuses graphs nested without end", () => {
    // graph { node { attribute { g: graph … } } }, over and over.
    let graph: number[] = [];
    for (let depth = 0; depth < 2000; depth++) graph = field(1, field(5, field(6, graph)));
    expect(refused(Uint8Array.from(field(7, graph))).message).toMatch(/nested too deep|no graph/);
  });

  it("refuses scikit-learn's maps and says which option avoids them", async () => {
    expect(refused(await bytesOf("onnx/logistic_iris_zipmap.onnx")).message).toMatch(/zipmap=False/);
  });

  it.each([
    ["onnx/seed_cnn", [["x", "float32", 4]], [["probabilities", "float32", 2]]],
    [
      "onnx/logistic_iris",
      [["X", "float32", 2]],
      [
        ["label", "int64", 1],
        ["probabilities", "float32", 2],
      ],
    ],
    ["onnx/boosting_diabetes", [["X", "float32", 2]], [["variable", "float32", 2]]],
    ["onnx_torch/transformer_encoder", [["ids", "int64", 2]], [["probabilities", "float32", 2]]],
    ["onnx_torch/lstm_gru", [["series", "float32", 3]], [["logits", "float32", 2]]],
    ["onnx_torch/resnet", [["pixels", "float32", 4]], [["logits", "float32", 2]]],
  ])("tells the tensors of %s", async (path, inputs, outputs) => {
    const inspected = inspectModel(await bytesOf(`${path}.onnx`));
    const told = (ports: typeof inspected.inputs) =>
      ports.map(({ name, elementType, shape }) => [name, elementType, shape.length]);
    expect(told(inspected.inputs)).toEqual(inputs);
    expect(told(inspected.outputs)).toEqual(outputs);
    expect(typeof inspected.inputs[0]?.shape[0]).toBe("string");
    expect(inspected.operators.length).toBeGreaterThan(0);
  });
});
