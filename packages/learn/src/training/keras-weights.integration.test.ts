import { readFileSync } from "node:fs";
import { Dataset, File, Group, ready } from "h5wasm/node";
import { expect, test } from "vitest";
import { conv2d, dense, flatten, maxPooling2d } from "../index.ts";
import { input, sequential } from "../definition/definition.ts";
import { onnxRuntimeExecutor } from "../onnxruntime-node/index.ts";
import { compile } from "./learner.ts";

const golden = new URL("../../../../tests/fixtures/golden/keras/", import.meta.url);

/** Float32 values of a fixture, whose header length stands in bytes 8 and 9. */
const floats = (name: string): Float32Array => {
  const bytes = readFileSync(new URL(name, golden));
  const start = 10 + bytes.readUInt16LE(8);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + bytes.length));
};

/** All arrays of an HDF5 group, by the last two parts of their paths. */
const arrays = (group: Group, found: Map<string, Float32Array> = new Map()): Map<string, Float32Array> => {
  for (const key of group.keys()) {
    const item = group.get(key);
    if (item instanceof Group) arrays(item, found);
    if (item instanceof Dataset) {
      found.set(
        item.path.split("/").slice(-2).join("/").replace(":0", ""),
        Float32Array.from(item.value as Float32Array),
      );
    }
  }
  return found;
};

test("the network of the first lesson with Keras' weights predicts what Keras predicts, to 1e-5", async () => {
  await ready;
  const file = new File(new URL("seed_cnn.h5", golden).pathname, "r");
  const stored = arrays(file.get("model_weights") as Group);
  file.close();
  await using learner = await compile(
    sequential([
      input({ shape: [28, 28, 1] }),
      conv2d({ filters: 32, kernelSize: 3, activation: "relu" }),
      maxPooling2d({ poolSize: 2 }),
      flatten(),
      dense({ units: 64, activation: "relu" }),
      dense({ units: 10, activation: "softmax" }),
    ]),
    { loss: "sparse_categorical_crossentropy", executor: onnxRuntimeExecutor() },
  );
  const own = learner.weights.names();
  expect(stored.size).toBe(own.length);
  // No two arrays of this network have the same size, so that the size tells which is which.
  for (const name of own) {
    const { length } = learner.getWeight(name).values;
    learner.setWeight(name, [...stored.values()].find((values) => values.length === length) ?? []);
  }
  const x = floats("seed_cnn.x0.npy");
  const expected = floats("seed_cnn.y0.npy");
  const { values } = await learner.predict({ shape: [16, 28, 28, 1], values: x });
  expect(values.length).toBe(expected.length);
  for (const [i, value] of values.entries()) expect(Math.abs(value - (expected[i] ?? NaN))).toBeLessThan(1e-5);
});
