import { expect, test } from "vitest";
import { resolveDefinition } from "../definition/resolve.ts";
import { LearnError } from "../errors.ts";
import { modelDefinition } from "./definition.ts";

const tensor = (layer: string, call = 0, output = 0) => ({
  class_name: "__keras_tensor__",
  config: { shape: [null, 4], dtype: "float32", keras_history: [layer, call, output] },
});

const layer = (className: string, config: object, ...calls: object[]) => ({
  module: "keras.layers",
  class_name: className,
  config,
  registered_name: null,
  inbound_nodes: calls,
});

const input = (name: string, ...shape: number[]) => layer("InputLayer", { name, batch_shape: [null, ...shape] });

const functional = (layers: object[], inputs: unknown, outputs: unknown) => ({
  class_name: "Functional",
  config: { name: "net", layers, input_layers: inputs, output_layers: outputs },
});

const shapesOf = (stored: Parameters<typeof modelDefinition>[0]) =>
  Object.fromEntries(resolveDefinition(modelDefinition(stored)).layers.map((one) => [one.name, one.outputShape]));

test("a layer that was called twice keeps one set of weights", () => {
  const definition = modelDefinition(
    functional(
      [
        input("a", 4),
        input("b", 4),
        layer(
          "Dense",
          { name: "shared", units: 3 },
          { args: [tensor("a")], kwargs: {} },
          { args: [tensor("b")], kwargs: {} },
        ),
        layer("Add", { name: "sum" }, { args: [[tensor("shared"), tensor("shared", 1)]], kwargs: {} }),
      ],
      [
        ["a", 0, 0],
        ["b", 0, 0],
      ],
      ["sum", 0, 0],
    ),
  );
  const { layers, outputs } = resolveDefinition(definition);
  expect(layers.flatMap(({ name, weights }) => weights.map((weight) => `${name}/${weight.name}`))).toEqual([
    "shared/kernel",
    "shared/bias",
  ]);
  expect(outputs).toEqual(["sum"]);
});

test("states of one recurrent layer begin another, and a state can be an output", () => {
  const states = [tensor("encoder", 0, 1), tensor("encoder", 0, 2)];
  const shapes = shapesOf(
    functional(
      [
        input("x", 5, 2),
        layer(
          "LSTM",
          { name: "encoder", units: 3, return_state: true },
          { args: [tensor("x")], kwargs: { mask: null } },
        ),
        layer(
          "LSTM",
          { name: "decoder", units: 3, return_sequences: true },
          { args: [tensor("x")], kwargs: { initial_state: states } },
        ),
      ],
      ["x", 0, 0],
      [
        ["decoder", 0, 0],
        ["encoder", 0, 2],
      ],
    ),
  );
  expect(shapes).toMatchObject({ decoder: [5, 3], "encoder.output1": [3] });
});

test("a model within a model, and the graphs of Keras 2, are read", () => {
  const inner = {
    class_name: "Sequential",
    config: { name: "body", layers: [input("start", 4), layer("Dense", { name: "inside", units: 2 })] },
    name: "body",
    inbound_nodes: [[["x", 0, 0, {}]]],
  };
  const head = { ...layer("Dense", { name: "head", units: 1 }), inbound_nodes: [[["body", 1, 0, {}]]] };
  const stored = functional([input("x", 4), inner, head], [["x", 0, 0]], [["head", 0, 0]]);
  expect(() => modelDefinition(stored)).toThrow(LearnError);
  head.inbound_nodes = [[["body", 0, 0, {}]]];
  expect(shapesOf(stored)).toMatchObject({ "body/inside": [2], head: [1] });
});

test.each([
  ["a Lambda", layer("Lambda", { name: "evil" }, { args: [tensor("x")], kwargs: {} }), /"evil" is a Lambda/],
  [
    "a custom class",
    { ...layer("Mine", { name: "own" }, { args: [tensor("x")], kwargs: {} }), module: "my_code" },
    /custom class "Mine"/,
  ],
  [
    "a registered activation",
    layer(
      "Dense",
      {
        name: "d",
        units: 1,
        activation: { class_name: "function", config: "f", module: "builtins", registered_name: "pkg>f" },
      },
      { args: [tensor("x")], kwargs: {} },
    ),
    /custom object "pkg>f"/,
  ],
  [
    "channels first",
    layer("Flatten", { name: "f", data_format: "channels_first" }, { args: [tensor("x")], kwargs: {} }),
    /data_format "channels_first"/,
  ],
  ["an open length", input("y"), /open length|inputs/],
])("refuses %s, saying where", (_, added, message) => {
  const open = { ...input("x"), config: { name: "x", batch_shape: [null, null] } };
  const first = added.class_name === "InputLayer" ? open : input("x", 4);
  const stored = functional([first, added], [["x", 0, 0]], [["x", 0, 0]]);
  expect(() => resolveDefinition(modelDefinition(stored))).toThrow(message);
});
