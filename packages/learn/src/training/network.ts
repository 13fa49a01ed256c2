import type { ResolvedLayer, ResolvedModel } from "../definition/resolve.ts";
import { parseReference } from "../definition/parse.ts";
import { LearnError } from "../errors.ts";
import type { EmitContext, LayerValue, WeightStorage } from "../layers/layer.ts";
import { plain } from "../layers/layout.ts";
import type { GraphBuilder } from "../onnx/builder.ts";
import type { Value } from "../onnx/graph.ts";
import type { Dimension } from "../onnx/tensor.ts";

/** Random numbers that are fed at each step: a dropout mask, or standard normal noise. */
export interface MaskInput {
  readonly name: string;
  readonly shape: readonly Dimension[];
  /** Share of zeros of a dropout mask; undefined for noise. */
  readonly rate: number | undefined;
}

/** How a model is to be written into a graph. */
export interface EmitOptions {
  readonly batch: Dimension;
  readonly training: boolean;
  /** Whether the result will be differentiated without being trained; false by default. */
  readonly differentiable?: boolean;
  /** Name of an input's value, by its layer; default `input/<layer>`. */
  inputName?(layer: string): string;
  /** Makes a weight's value, given its full name and how it lies inside the engine. */
  weight(name: string, storage: WeightStorage): Value;
}

/** A model inside a graph. */
export interface EmittedModel {
  readonly inputs: readonly Value[];
  /** Outputs in the public layout. */
  readonly outputs: readonly Value[];
  readonly masks: readonly MaskInput[];
  /** New values of weights that are not learnt, by the weight's full name. */
  readonly updates: ReadonlyMap<string, Value>;
  readonly storages: ReadonlyMap<string, WeightStorage>;
  /** Values of the weights that the model uses, by full name. */
  readonly weights: ReadonlyMap<string, Value>;
  /** Results of the layers, by layer. */
  readonly results: ReadonlyMap<string, LayerValue>;
}

/** Full name of a layer's weight, as `learner.weights` gives it. */
export const weightName = (layer: string, weight: string): string => `${layer}/${weight}`;

class Emission {
  readonly masks: MaskInput[] = [];
  readonly updates = new Map<string, Value>();
  readonly storages = new Map<string, WeightStorage>();
  readonly weights = new Map<string, Value>();
  /** Public shapes of the weights. */
  readonly #shapes = new Map<string, readonly number[]>();
  readonly #builder: GraphBuilder;
  readonly #options: EmitOptions;

  constructor(builder: GraphBuilder, options: EmitOptions) {
    this.#builder = builder;
    this.#options = options;
  }

  contextFor(layer: ResolvedLayer): EmitContext {
    const { training, batch, differentiable = false } = this.#options;
    return {
      builder: this.#builder,
      training,
      differentiable: training || differentiable,
      frozen: layer.frozen,
      batch,
      weight: (name, storage) => this.#weight(layer, name, storage),
      mask: (shape, rate) => this.#draw(layer.name, shape, rate),
      noise: (shape) => this.#draw(layer.name, shape, undefined),
      update: (name, value) => {
        this.updates.set(weightName(layer.owner, name), value);
      },
      updated: (name) => this.updates.get(weightName(layer.owner, name)) ?? this.#weight(layer, name, undefined),
    };
  }

  #draw(layer: string, shape: readonly Dimension[], rate: number | undefined): Value {
    const first = `mask/${layer}`;
    const known = this.masks.filter(({ name }) => name === first || name.startsWith(`${first}/`)).length;
    const name = known === 0 ? first : `${first}/${known}`;
    this.masks.push({ name, shape, rate });
    return this.#builder.input(name, "float32", shape);
  }

  #weight(layer: ResolvedLayer, name: string, storage: WeightStorage | undefined): Value {
    const full = weightName(layer.owner, name);
    const known = this.weights.get(full);
    if (known !== undefined) return this.#relaid(full, known, storage);
    const spec = layer.weights.find((weight) => weight.name === name);
    if (spec === undefined) throw new LearnError("layer-invalid", `Layer "${layer.name}" has no weight "${name}".`);
    const place = storage ?? publicStorage(spec.shape);
    const value = this.#options.weight(full, place);
    this.storages.set(full, place);
    this.weights.set(full, value);
    this.#shapes.set(full, spec.shape);
    return value;
  }

  /** A weight as another use of its layer wants it to lie. */
  #relaid(full: string, value: Value, wanted: WeightStorage | undefined): Value {
    const stored = this.storages.get(full);
    const target = wanted ?? publicStorage(this.#shapes.get(full) ?? []);
    if (stored === undefined || JSON.stringify(stored) === JSON.stringify(target)) return value;
    const builder = this.#builder;
    const reshaped = (x: Value, shape: readonly number[]): Value =>
      builder.apply("Reshape", [x, builder.integers(shape)]);
    const moved = (x: Value, perm: readonly number[]): Value =>
      builder.apply("Transpose", [x], { attributes: { perm } });
    const back = stored.order.map((_, axis) => stored.order.indexOf(axis));
    const ordered = stored.order.map((axis) => stored.unfolded[axis] ?? 1);
    const open = reshaped(moved(reshaped(value, ordered), back), target.unfolded);
    return reshaped(moved(open, target.order), target.shape);
  }
}

const publicStorage = (shape: readonly number[]): WeightStorage => ({
  unfolded: shape,
  order: shape.map((_, axis) => axis),
  shape,
});

/** Writes a model into a graph under construction. */
export const emitModel = (builder: GraphBuilder, model: ResolvedModel, options: EmitOptions): EmittedModel => {
  const emission = new Emission(builder, options);
  const values = new Map<string, LayerValue>();
  const inputs: Value[] = [];
  const valueOf = (name: string): LayerValue => {
    const { layer, further } = parseReference(name);
    const result = values.get(layer);
    const value = further === 0 ? result : result?.further?.[further - 1];
    if (value === undefined)
      throw new LearnError("definition-invalid", `Layer "${name}" is used before it is computed.`);
    return value;
  };
  for (const layer of model.layers) {
    if (layer.kind === undefined) {
      const value = builder.input(options.inputName?.(layer.name) ?? `input/${layer.name}`, "float32", [
        options.batch,
        ...layer.outputShape,
      ]);
      inputs.push(value);
      values.set(layer.name, { value, shape: layer.outputShape, layout: "plain" });
    } else {
      values.set(layer.name, layer.kind.emit(layer.arguments, layer.inputs.map(valueOf), emission.contextFor(layer)));
    }
  }
  const outputs = model.outputs.map((name) => plain(builder, valueOf(name)).value);
  const ordered = model.inputs.map((name) => valueOf(name).value);
  const { masks, updates, storages, weights } = emission;
  return { inputs: ordered, outputs, masks, updates, storages, weights, results: values };
};
