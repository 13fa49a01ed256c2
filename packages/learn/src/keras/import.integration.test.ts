import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type GoldenArray, goldenArray, goldenJson, largestDifference } from "../../../../tests/kit/golden.ts";
import { LearnError } from "../errors.ts";
import { openHdf5 } from "../h5wasm/index.ts";
import { onnxRuntimeExecutor } from "../onnxruntime-node/index.ts";
import { compile } from "../training/learner.ts";
import { importKeras, type KerasModel } from "./import.ts";

interface Fixture {
  readonly name: string;
  readonly files: { readonly keras: string; readonly h5: string };
  readonly inputs: readonly { readonly file: string; readonly shape: readonly number[] }[];
  readonly outputs: readonly { readonly file: string; readonly shape: readonly number[] }[];
  readonly tolerance: number;
}

const executor = onnxRuntimeExecutor({ intraOpNumThreads: 1 });
const bytesOf = (path: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../../../tests/fixtures/golden/${path}`, import.meta.url)));

/** Predictions of an imported model, from its inputs in order. */
const predict = async (
  { definition, weights }: KerasModel,
  files: readonly string[],
): Promise<readonly Float32Array[]> => {
  await using learner = await compile(definition, { loss: "mse", executor });
  for (const [name, { values }] of weights) learner.setWeight(name, values);
  expect([...weights.keys()].toSorted()).toEqual(learner.weights.names().toSorted());
  const arrays = files.map((file) => goldenArray(`keras/${file}`));
  const named = Object.fromEntries(learner.model.inputs.map((name, index) => [name, arrays[index] as GoldenArray]));
  const [only] = arrays;
  const result = await learner.predict(only !== undefined && arrays.length === 1 ? only : named);
  return [result.values];
};

describe("models saved by Keras predict what Keras predicts", () => {
  const { cases } = goldenJson<{ cases: Fixture[] }>("keras/manifest.json");
  const files = cases.flatMap((one) => [[one.files.keras, one] as const, [one.files.h5, one] as const]);
  test.each(files)("%s", async (file, { inputs, outputs, tolerance }) => {
    const openLength = inputs[0]?.shape[1] ?? 1;
    const imported = importKeras(bytesOf(`keras/${file}`), { openHdf5, openLength });
    const results = await predict(
      imported,
      inputs.map((input) => input.file),
    );
    for (const [index, output] of outputs.entries()) {
      const expected = goldenArray(`keras/${output.file}`).values;
      expect(largestDifference(results[index] ?? [], expected)).toBeLessThan(tolerance);
    }
  });
});

const refused = (bytes: Uint8Array): LearnError => {
  try {
    importKeras(bytes, { openHdf5 });
  } catch (error) {
    if (error instanceof LearnError) return error;
    throw error;
  }
  throw new Error("The file was accepted.");
};

test.each([
  ["lambda.keras", /"lambda" is a Lambda/],
  ["path_traversal.keras", /path leaves the archive/],
  ["bomb.keras", /zip|unpacks|JSON/],
  ["truncated.h5", /no HDF5 file/],
  ["pickle.h5", /no HDF5 file/],
])("refuses %s with a coded error that says why", (name, reason) => {
  const error = refused(bytesOf(`malformed/${name}`));
  expect(error.code).toBe("keras-invalid");
  expect(error.message).toMatch(reason);
});

test.each(["keras/lstm_text.keras", "keras/lstm_text.h5"])("refuses %s cut off anywhere", (name) => {
  const bytes = bytesOf(name);
  for (let length = 0; length < bytes.length; length += Math.ceil(bytes.length / 40)) {
    expect(refused(bytes.subarray(0, length)).code).toBe("keras-invalid");
  }
});
