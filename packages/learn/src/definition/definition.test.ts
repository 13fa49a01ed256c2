import { describe, expect, it } from "vitest";
import { LearnError } from "../errors.ts";
import { add, concatenate, conv2d, dense, flatten, maxPooling2d, reshape } from "../index.ts";
import { input, model, sequential } from "./definition.ts";
import type { ModelDefinition } from "./definition.ts";
import { resolveDefinition } from "./resolve.ts";

const firstLesson = sequential([
  input({ shape: [28, 28, 1] }),
  conv2d({ filters: 32, kernelSize: 3, activation: "relu" }),
  maxPooling2d({ poolSize: 2 }),
  flatten(),
  dense({ units: 64, activation: "relu" }),
  dense({ units: 10, activation: "softmax" }),
]);

const refused = (definition: unknown): LearnError => {
  try {
    resolveDefinition(definition as ModelDefinition);
  } catch (error) {
    if (error instanceof LearnError) return error;
    throw error;
  }
  throw new Error("The definition was accepted.");
};

describe("a definition", () => {
  it("is JSON: it resolves to the same model after it crossed a wire", () => {
    const crossed = JSON.parse(JSON.stringify(firstLesson)) as ModelDefinition;
    const shapes = (definition: ModelDefinition) =>
      resolveDefinition(definition).layers.map(({ name, outputShape }) => [name, outputShape]);
    expect(shapes(crossed)).toEqual(shapes(firstLesson));
  });

  it("has Keras' names, shapes and parameter count", () => {
    const { layers } = resolveDefinition(firstLesson);
    expect(layers.map(({ name }) => name).slice(1)).toEqual(["conv2d", "max_pooling2d", "flatten", "dense", "dense_1"]);
    expect(layers.map(({ outputShape }) => outputShape)).toEqual([
      [28, 28, 1],
      [26, 26, 32],
      [13, 13, 32],
      [5408],
      [64],
      [10],
    ]);
    const lengths = layers.flatMap(({ weights }) => weights.map(({ shape }) => shape.reduce((a, b) => a * b, 1)));
    expect(lengths.reduce((a, b) => a + b, 0)).toBe(347_146);
  });

  it("lists the layers of a functional model in the order of computation", () => {
    const x = input({ shape: [8], name: "x" });
    const left = dense({ units: 4, name: "left" })(x);
    const right = dense({ units: 4, name: "right" })(x);
    const sum = add({ name: "sum" })(left, right);
    const y = concatenate({ name: "y" })(sum, left);
    const { layers } = resolveDefinition(model({ inputs: [x], outputs: [y] }));
    expect(layers.map(({ name }) => name)).toEqual(["x", "left", "right", "sum", "y"]);
    expect(layers.at(-1)?.outputShape).toEqual([8]);
  });
});

describe("a definition that does not fit is refused, naming layer, expectation and way out", () => {
  const after = (...layers: object[]): unknown => ({
    kind: "sequential",
    layers: [{ layer: "Input", shape: [8, 8, 3] }, ...layers],
  });
  it.each([
    ["an unknown layer", after({ layer: "Lambda", name: "evil" }), "layer-unknown", /"evil".*Lambda.*Known kinds/],
    ["a wrong argument", after({ layer: "Dense", units: -1 }), "layer-invalid", /Dense "dense".*units/],
    ["an unknown argument", after({ layer: "Dense", units: 1, colour: 1 }), "layer-invalid", /colour/],
    ["a missing argument", after({ layer: "Conv2D", kernelSize: 3 }), "layer-invalid", /filters/],
    [
      "a window that is too large",
      after({ layer: "Conv2D", filters: 1, kernelSize: 9 }),
      "shape-mismatch",
      /9 × 9.*8 × 8/,
    ],
    [
      "an image layer on a row",
      after({ layer: "Flatten" }, { layer: "Conv2D", filters: 1, kernelSize: 1 }),
      "shape-mismatch",
      /\[192\]/,
    ],
    ["a wrong reshape", after({ layer: "Reshape", targetShape: [5, -1] }), "shape-mismatch", /192 elements/],
    [
      "groups that do not divide",
      after({ layer: "Conv2D", filters: 4, kernelSize: 1, groups: 2 }),
      "layer-invalid",
      /groups 2/,
    ],
    [
      "two layers of one name",
      after({ layer: "Flatten", name: "a" }, { layer: "Dense", units: 1, name: "a" }),
      "definition-invalid",
      /"a"/,
    ],
    ["no input", { kind: "sequential", layers: [{ layer: "Dense", units: 1 }] }, "definition-invalid", /Input|input/],
    ["no layers", { kind: "sequential", layers: [] }, "definition-invalid", /layers/],
    ["another form", "cnn", "definition-invalid", /Expected/],
    [
      "a cycle",
      {
        kind: "functional",
        layers: [
          { layer: "Input", name: "x", shape: [2] },
          { layer: "Add", name: "a", inputs: ["x", "b"] },
          { layer: "Dense", name: "b", units: 2, inputs: ["a"] },
        ],
        inputs: ["x"],
        outputs: ["b"],
      },
      "definition-invalid",
      /"a" takes "b"/,
    ],
    [
      "shapes that do not add",
      model({ inputs: [], outputs: [add()(input({ shape: [2] }), input({ shape: [3] }))] }),
      "definition-invalid",
      /inputs/,
    ],
  ])("%s", (_, definition, code, message) => {
    const error = refused(definition);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
  });

  it("shapes that do not add up", () => {
    const [x, y] = [input({ shape: [2], name: "x" }), input({ shape: [3], name: "y" })];
    const error = refused(model({ inputs: [x, y], outputs: [add()(x, y)] }));
    expect(error.code).toBe("shape-mismatch");
    expect(error.message).toMatch(/\[2\] and \[3\]/);
  });

  it("reshapes with one open length", () => {
    const { layers } = resolveDefinition(sequential([input({ shape: [12] }), reshape({ targetShape: [3, -1] })]));
    expect(layers.at(-1)?.outputShape).toEqual([3, 4]);
  });
});
