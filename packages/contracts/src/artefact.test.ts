import { describe, expect, it } from "vitest";
import { ArtefactManifest } from "./artefact.ts";

const digest = `sha256:${"a".repeat(64)}`;
const average = { precision: 0.5, recall: 0.5, f1: 0.5 };

/** A manifest as the first version of the platform wrote it. */
const first = {
  format: 1,
  definition: {
    kind: "sequential",
    layers: [
      { layer: "Input", shape: [2] },
      { layer: "Dense", units: 2 },
    ],
  },
  signature: {
    input: {
      kind: "row",
      columns: [
        { kind: "number", name: "a" },
        { kind: "category", name: "b", categories: ["x", "y"] },
      ],
    },
    output: { kind: "classes", labels: ["no", "yes"] },
    tensors: {
      inputs: [{ name: "x", datatype: "FP32", shape: [-1, 2] }],
      outputs: [{ name: "prediction", datatype: "FP32", shape: [-1, 2] }],
    },
  },
  preprocessing: [],
  labels: ["no", "yes"],
  graph: { digest, bytes: 10 },
  weights: null,
  evaluation: {
    kind: "classification",
    split: "test",
    rows: 2,
    loss: 0.5,
    accuracy: 0.5,
    balancedAccuracy: 0.5,
    topK: null,
    macro: average,
    micro: average,
    weighted: average,
    perClass: [],
    confusion: [],
  },
  lineage: {
    run: "run_01jd8m7e4k5q9x2v3b6n7p8r9s",
    dataset: "table@1",
    datasetDigest: digest,
    target: "y",
    features: ["a", "b"],
    split: { train: 8, validation: 1, test: 1 },
    seed: 1,
    optimizer: "adam",
    loss: "sparse_categorical_crossentropy",
    epochs: 1,
    batchSize: 32,
    codeVersion: "0.1.0",
  },
  environment: { node: "v24.21.0", onnxruntime: "onnxruntime-node 1.30.0", platform: "linux-x64", opset: 21 },
};

describe("an artefact of an older Modelyard", () => {
  it("is read as what it was: nothing is filled, nothing unknown is let through, outputs are probabilities", () => {
    const { signature, evaluation } = ArtefactManifest.parse(first);
    expect(signature?.input).toEqual({
      kind: "row",
      columns: [
        { kind: "number", name: "a", missing: "error" },
        { kind: "category", name: "b", categories: ["x", "y"], missing: "error", unknown: "error" },
      ],
    });
    expect(signature?.output).toMatchObject({ scores: "probabilities" });
    expect(evaluation).toMatchObject({ accuracy: 0.5, rocAuc: null, curves: null, slices: null });
  });

  it("takes images of the size that it was trained on", () => {
    const input = { kind: "image", height: 28, width: 28, channels: 1 };
    const manifest = { ...first, signature: { ...first.signature, input } };
    expect(ArtefactManifest.parse(manifest).signature?.input).toEqual(input);
  });
});
