import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import type { Runtime } from "./runtime.ts";
import type { Tensor } from "./tensor.ts";

const golden = new URL("../../../../tests/fixtures/golden/onnx/", import.meta.url);
const options = { threads: 1, rowsMax: 16 };

/** Float32 values of a NumPy file of version 1 in C order. */
const npy = async (name: string): Promise<Float32Array> => {
  const bytes = await readFile(new URL(name, golden));
  const data = bytes.subarray(10 + bytes.readUInt16LE(8));
  return new Float32Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength));
};

/** What every runtime guarantees, tried with a network that Keras made. */
export const runtimeConformance = (driver: string, runtime: Runtime): void => {
  const load = async () => runtime.load(await readFile(new URL("seed_cnn.onnx", golden)), options);
  const rowsOf = (x: Float32Array, from: number, count: number): Tensor => ({
    datatype: "FP32",
    shape: [count, 28, 28, 1],
    data: x.subarray(from * 784, (from + count) * 784),
  });

  describe(`runtime: ${driver}`, () => {
    test("tells the graph's tensors, with -1 for a free axis", async () => {
      await using model = await load();
      expect(model.inputs).toEqual([{ name: "x", datatype: "FP32", shape: [-1, 28, 28, 1] }]);
      expect(model.outputs).toEqual([{ name: "probabilities", datatype: "FP32", shape: [-1, 10] }]);
      expect(model.batchable).toBe(true);
    });

    test("answers what Keras answers to 1e-5", async () => {
      await using model = await load();
      const [x, expected] = await Promise.all([npy("seed_cnn.x.npy"), npy("seed_cnn.probabilities.npy")]);
      const [answer] = await model.run([[rowsOf(x, 0, x.length / 784)]]);
      const got = answer?.[0]?.data as Float32Array;
      expect(got.length).toBe(expected.length);
      expect(Math.max(...got.map((value, i) => Math.abs(value - (expected[i] ?? Number.NaN))))).toBeLessThan(1e-5);
    });

    test("each request of a batch gets its own rows, as if it had run alone", async () => {
      await using model = await load();
      const x = await npy("seed_cnn.x.npy");
      const requests = [[rowsOf(x, 0, 1)], [rowsOf(x, 1, 2)], [rowsOf(x, 3, 1)]];
      const together = await model.run(requests);
      for (const [i, request] of requests.entries()) {
        const [alone] = await model.run([request]);
        expect(together[i]?.[0]?.shape).toEqual(alone?.[0]?.shape);
        const [got, wanted] = [together[i]?.[0]?.data as Float32Array, alone?.[0]?.data as Float32Array];
        expect(Math.max(...got.map((value, j) => Math.abs(value - (wanted[j] ?? Number.NaN))))).toBeLessThan(1e-6);
      }
    });

    test("a run that the graph cannot make fails with a code, and the next one works", async () => {
      await using model = await load();
      const wrong: Tensor = { datatype: "FP32", shape: [1, 27, 28, 1], data: new Float32Array(27 * 28) };
      await expect(model.run([[wrong]])).rejects.toMatchObject({ code: "executor-failed" });
      await expect(model.run([[rowsOf(new Float32Array(784), 0, 1)]])).resolves.toHaveLength(1);
    });

    test("bytes that are no model are refused with a code", async () => {
      await expect(runtime.load(Buffer.from("not a model"), options)).rejects.toMatchObject({ code: "onnx-invalid" });
    });
  });
};
