import type { SampleShape } from "../layers/layer.ts";

/** One layer as data: its Keras name, its name in this model, and its arguments beside them. */
export interface LayerSpec {
  readonly layer: string;
  readonly name?: string | undefined;
  readonly [argument: string]: unknown;
}

/** A layer of a functional model: it also names the layers whose results it takes. */
export interface WiredLayerSpec extends LayerSpec {
  readonly name: string;
  readonly inputs?: readonly string[] | undefined;
}

/** A model whose layers follow one another. (A type and no interface, so that it fits where any JSON object does.) */
export type SequentialDefinition = {
  readonly kind: "sequential";
  readonly name?: string | undefined;
  readonly layers: readonly LayerSpec[];
};

/** A model whose layers form a graph. */
export type FunctionalDefinition = {
  readonly kind: "functional";
  readonly name?: string | undefined;
  readonly layers: readonly WiredLayerSpec[];
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
};

/** A model as plain JSON data, with the layers and defaults of Keras 3. */
export type ModelDefinition = SequentialDefinition | FunctionalDefinition;

/** A value of a functional model under construction, made by {@link LayerCall}. */
export interface SymbolicValue {
  readonly spec: LayerSpec;
  readonly from: readonly SymbolicValue[];
  /** For a further output of a sub-model: the sub-model's value, and the layer inside that gives it. */
  readonly part?: { readonly of: SymbolicValue; readonly layer: string } | undefined;
  /** For what a layer gives beside its result: the layer's value, and its place from 1. */
  readonly further?: { readonly of: SymbolicValue; readonly place: number } | undefined;
}

/** A layer: put it into `sequential([...])`, or call it with the results of other layers. */
export interface LayerCall {
  (...inputs: readonly SymbolicValue[]): SymbolicValue;
  readonly spec: LayerSpec;
}

/** Options of an input. */
export interface InputOptions {
  /** Shape of one sample without the batch; images are [height, width, channels]. */
  readonly shape: SampleShape;
  readonly name?: string;
}

/** Makes a layer from its Keras name and arguments. */
export const layer = (kind: string, options: object): LayerCall => {
  const spec: LayerSpec = { layer: kind, ...options };
  const call = (...from: readonly SymbolicValue[]): SymbolicValue => ({ spec, from });
  return Object.assign(call, { spec });
};

/** Declares what goes into a model. */
export const input = (options: InputOptions): SymbolicValue => ({ spec: { layer: "Input", ...options }, from: [] });

/** Defines a model whose layers follow one another; the first is an input. */
export const sequential = (
  layers: readonly (LayerCall | SymbolicValue | LayerSpec)[],
  options: { readonly name?: string } = {},
): SequentialDefinition => ({
  kind: "sequential",
  ...options,
  layers: layers.map((item) => ("spec" in item ? (item.spec as LayerSpec) : item)),
});

/** Keras' way from a class to a name: `MaxPooling2D` → `max_pooling2d`, `LeakyReLU` → `leaky_re_lu`. */
const snake = (kind: string): string =>
  kind
    .replaceAll(/(.)([A-Z][a-z]+)/g, "$1_$2")
    .replaceAll(/([a-z])([A-Z])/g, "$1_$2")
    .toLowerCase();

/** Gives names as Keras does: `dense`, `dense_1`, …; names given by hand are kept. */
export const layerNames = (specs: readonly LayerSpec[]): string[] => {
  const taken = new Set(specs.flatMap(({ name }) => (name === undefined ? [] : [name])));
  return specs.map((spec) => {
    if (spec.name !== undefined) return spec.name;
    const base = snake(spec.layer);
    let name = base;
    for (let count = 1; taken.has(name); count++) name = `${base}_${count}`;
    taken.add(name);
    return name;
  });
};

/** Names for uses of layers; a layer that is used again gets a name of its own each time. */
const nameUses = (specs: readonly LayerSpec[]): string[] =>
  layerNames(specs.map((spec, index) => (specs.indexOf(spec) === index ? spec : { ...spec, name: undefined })));

/**
 * Defines a model whose layers form a graph, from its inputs and outputs.
 * A layer that was called several times keeps one set of weights.
 */
export const model = (options: {
  readonly inputs: readonly SymbolicValue[];
  readonly outputs: readonly SymbolicValue[];
  readonly name?: string;
}): FunctionalDefinition => {
  const order: SymbolicValue[] = [];
  const visit = (value: SymbolicValue): void => {
    const origin = value.part?.of ?? value.further?.of;
    if (origin !== undefined) {
      visit(origin);
      return;
    }
    if (order.includes(value)) return;
    for (const source of value.from) visit(source);
    order.push(value);
  };
  for (const value of [...options.inputs, ...options.outputs]) visit(value);
  const specs = order.map(({ spec }) => spec);
  const names = nameUses(specs);
  const nameOf = (value: SymbolicValue): string => {
    if (value.part !== undefined) return `${nameOf(value.part.of)}/${value.part.layer}`;
    if (value.further !== undefined) return `${nameOf(value.further.of)}:${value.further.place}`;
    return names[order.indexOf(value)] ?? "";
  };
  return {
    kind: "functional",
    ...(options.name === undefined ? {} : { name: options.name }),
    layers: order.map(({ spec, from }, index) => {
      const first = specs.indexOf(spec);
      return {
        ...(first === index ? spec : { layer: spec.layer, shares: names[first] ?? "" }),
        name: names[index] ?? "",
        ...(from.length === 0 ? {} : { inputs: from.map(nameOf) }),
      };
    }),
    inputs: options.inputs.map(nameOf),
    outputs: options.outputs.map(nameOf),
  };
};

/**
 * Uses a model as a layer: its layers and weights become those of the outer model, under the layer's name.
 * Its result is the model's first output; {@link outputOf} gives the others.
 */
export const subModel = (
  definition: ModelDefinition,
  options: {
    readonly name?: string;
    /** False freezes all its layers. */
    readonly trainable?: boolean;
  } = {},
): LayerCall => {
  const name = options.name ?? definition.name;
  return layer("Model", { ...options, ...(name === undefined ? {} : { name }), definition });
};

/** The output of a sub-model that one of its layers gives. */
export const outputOf = (value: SymbolicValue, layerName: string): SymbolicValue => ({
  spec: value.spec,
  from: [value],
  part: { of: value, layer: layerName },
});

/** What a layer gives beside its result, counted from 1: the last states of a recurrent layer with `returnState`. */
export const furtherOutput = (value: SymbolicValue, place: number): SymbolicValue => ({
  spec: value.spec,
  from: [value],
  further: { of: value, place },
});
