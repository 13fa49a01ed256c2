import { differentiate } from "../autodiff/index.ts";
import type { ResolvedModel } from "../definition/resolve.ts";
import { LearnError } from "../errors.ts";
import type { LayerValue, WeightSpec, WeightStorage } from "../layers/layer.ts";
import { plainValue } from "../layers/layout.ts";
import { emitLoss, emitMetric, type LossConfig, type MetricName, targetTypeOf } from "../losses/index.ts";
import { GraphBuilder } from "../onnx/builder.ts";
import type { Graph, Value } from "../onnx/graph.ts";
import { type Dimension, elementCount, isStatic } from "../onnx/tensor.ts";

/** A weight of a model under its full name `layer/weight`. */
export interface ModelWeight extends WeightSpec {
  readonly layer: string;
}

/** All weights of a model in the order of its layers. */
export const weightsOf = (model: ResolvedModel): ModelWeight[] =>
  model.layers.flatMap((layer) =>
    layer.weights.map((weight) => ({ ...weight, layer: layer.name, name: `${layer.name}/${weight.name}` })),
  );

/** A dropout mask that must be filled before each step. */
export interface MaskSpec {
  readonly name: string;
  readonly layer: string;
  readonly length: number;
  readonly shape: readonly number[];
  readonly rate: number;
}

/** How each weight lies inside the engine; a weight that is not listed lies as it is public. */
export type WeightStorages = ReadonlyMap<string, WeightStorage>;

interface Emission {
  readonly builder: GraphBuilder;
  readonly model: ResolvedModel;
  readonly training: boolean;
  readonly batch: Dimension;
  /** Gives the graph its weights: as inputs, or as constants. */
  readonly weight: (weight: ModelWeight, storage: WeightStorage | undefined) => Value;
  readonly inputName: string;
}

interface Emitted {
  readonly input: Value;
  readonly prediction: Value;
  readonly weights: ReadonlyMap<string, Value>;
  readonly masks: readonly MaskSpec[];
  readonly updates: ReadonlyMap<string, Value>;
}

/** Shapes of the one input and the one output of a model. */
export const portsOf = (
  model: ResolvedModel,
): { readonly input: readonly number[]; readonly output: readonly number[] } => {
  const find = (name: string | undefined) => model.layers.find((layer) => layer.name === name)?.outputShape ?? [];
  if (model.inputs.length !== 1 || model.outputs.length !== 1) {
    throw new LearnError(
      "definition-invalid",
      `A model that is trained has one input and one output, but this one has ${model.inputs.length} and ${model.outputs.length}.`,
    );
  }
  return { input: find(model.inputs[0]), output: find(model.outputs[0]) };
};

const emitModel = (emission: Emission): Emitted => {
  const { builder, model, training, batch } = emission;
  const values = new Map<string, LayerValue>();
  const weights = new Map<string, Value>();
  const updates = new Map<string, Value>();
  const masks: MaskSpec[] = [];
  const all = new Map(weightsOf(model).map((weight) => [weight.name, weight]));
  const ports = portsOf(model);
  const input = builder.input(emission.inputName, "float32", [batch, ...ports.input]);
  for (const layer of model.layers) {
    if (layer.kind === undefined) {
      values.set(layer.name, { value: input, shape: layer.outputShape, layout: "plain" });
      continue;
    }
    const inputs = layer.inputs.map((name) => values.get(name)).filter((value) => value !== undefined);
    const result = layer.kind.emit(layer.arguments, inputs, {
      builder,
      training,
      batch,
      weight: (name, storage) => {
        const full = `${layer.name}/${name}`;
        const known = weights.get(full);
        const spec = all.get(full);
        if (known !== undefined) return known;
        if (spec === undefined) throw new RangeError(`${layer.layer} has no weight "${name}".`);
        const value = emission.weight(spec, storage);
        weights.set(full, value);
        return value;
      },
      mask: (shape, rate) => {
        if (!isStatic(shape)) throw new RangeError("A dropout mask needs a known batch.");
        const name = `mask/${layer.name}`;
        masks.push({ name, layer: layer.name, length: elementCount(shape), shape, rate });
        return builder.input(name, "float32", shape);
      },
      update: (name, value) => void updates.set(`${layer.name}/${name}`, value),
    });
    values.set(layer.name, result);
  }
  const output = values.get(model.outputs[0] ?? "");
  if (output === undefined) throw new RangeError("The model has no output.");
  return { input, prediction: plainValue(builder, output), weights, masks, updates };
};

const sum = (builder: GraphBuilder, value: Value): Value =>
  builder.apply("ReduceSum", [value, builder.integers([0])], { attributes: { keepdims: 0 } });

/** A graph that makes one training step's loss, metrics, gradients and new statistics. */
export interface TrainingGraph {
  readonly graph: Graph;
  readonly masks: readonly MaskSpec[];
  readonly storages: WeightStorages;
  readonly updates: readonly string[];
}

/** What is minimised, and what is followed beside it. */
export interface Objective {
  readonly loss: LossConfig;
  readonly metrics: readonly MetricName[];
}

/**
 * Builds the joint forward and backward graph for one batch size.
 * Inputs: `x` [batch, …], `y`, `sample_weight` [batch] (already divided by the number of samples), every weight by its
 * name and the masks. Outputs: `loss`, `metric/…` (sums over the batch), `gradient/…`, `update/…`.
 */
export const buildTrainingGraph = (model: ResolvedModel, objective: Objective, batch: number): TrainingGraph => {
  const builder = new GraphBuilder();
  const storages = new Map<string, WeightStorage>();
  const emitted = emitModel({
    builder,
    model,
    training: true,
    batch,
    inputName: "x",
    weight: (weight, storage) => {
      if (storage !== undefined) storages.set(weight.name, storage);
      return builder.input(weight.name, "float32", storage?.shape ?? weight.shape);
    },
  });
  const type = targetTypeOf(objective.loss, portsOf(model).output);
  const target = builder.input("y", type.dtype, [batch, ...type.shape]);
  const sampleWeight = builder.input("sample_weight", "float32", [batch]);
  const input = { builder, prediction: emitted.prediction, target };
  const loss = sum(builder, builder.apply("Mul", [emitLoss(objective.loss, input), sampleWeight]));
  const metrics = objective.metrics.map((name) => [`metric/${name}`, sum(builder, emitMetric(name, input))] as const);
  const trainable = weightsOf(model).filter((weight) => weight.trainable && emitted.weights.has(weight.name));
  const sources = trainable.map((weight) => builder.value(weight.name));
  const gradients = differentiate(builder, { loss, withRespectTo: sources });
  const graph = builder.finish("training", {
    loss,
    ...Object.fromEntries(metrics),
    ...Object.fromEntries(trainable.map((weight, i) => [`gradient/${weight.name}`, gradients[i] as Value])),
    ...Object.fromEntries([...emitted.updates].map(([name, value]) => [`update/${name}`, value])),
  });
  return { graph, masks: emitted.masks, storages, updates: [...emitted.updates.keys()] };
};

/** Builds the graph that predicts, with the weights as inputs, for any batch size: `x` → `prediction`. */
export const buildForwardGraph = (model: ResolvedModel, objective?: Objective): Graph => {
  const builder = new GraphBuilder();
  const emitted = emitModel({
    builder,
    model,
    training: false,
    batch: "batch",
    inputName: "x",
    weight: (weight, storage) => builder.input(weight.name, "float32", storage?.shape ?? weight.shape),
  });
  const outputs: Record<string, Value> = { prediction: emitted.prediction };
  if (objective !== undefined) {
    const type = targetTypeOf(objective.loss, portsOf(model).output);
    const target = builder.input("y", type.dtype, ["batch", ...type.shape]);
    const input = { builder, prediction: emitted.prediction, target };
    outputs["losses"] = emitLoss(objective.loss, input);
    for (const name of objective.metrics) outputs[`metric/${name}`] = emitMetric(name, input);
  }
  return builder.finish("forward", outputs);
};

/** Names of the tensors of an exported graph. */
export interface ExportOptions {
  /** Default `x`. */
  readonly inputName?: string;
  /** Default `prediction`. */
  readonly outputName?: string;
}

/** Builds the graph that is served: weights inside, any batch size, channels last. */
export const buildServingGraph = (
  model: ResolvedModel,
  weights: (weight: ModelWeight) => Float32Array,
  { inputName = "x", outputName = "prediction" }: ExportOptions = {},
): Graph => {
  const builder = new GraphBuilder();
  const emitted = emitModel({
    builder,
    model,
    training: false,
    batch: "batch",
    inputName,
    weight: (weight, storage) =>
      builder.constant(
        { dtype: "float32", shape: storage?.shape ?? weight.shape, values: weights(weight) },
        weight.name,
      ),
  });
  return builder.finish(model.name, { [outputName]: emitted.prediction });
};
