import { differentiate } from "../autodiff/index.ts";
import type { ResolvedModel } from "../definition/resolve.ts";
import { LearnError } from "../errors.ts";
import type { WeightStorage } from "../layers/layer.ts";
import type { LossConfig } from "../losses/index.ts";
import { emitLoss } from "../losses/index.ts";
import { GraphBuilder } from "../onnx/builder.ts";
import type { Graph, Value } from "../onnx/graph.ts";
import type { Dimension, Tensor } from "../onnx/tensor.ts";
import { emitMetric } from "./metrics.ts";
import type { metricNames } from "./metrics.ts";
import { emitModel } from "./network.ts";
import type { EmittedModel, MaskInput } from "./network.ts";

/** What a model is trained for. */
export interface Objective {
  readonly model: ResolvedModel;
  readonly loss: LossConfig;
  readonly metrics: readonly (typeof metricNames)[number][];
}

/** Names of the graphs' inputs and outputs beside weights, masks, gradients and updates. */
export const portNames = { target: "target", sampleWeight: "sampleWeight", sums: "sums" } as const;

/** A graph that makes one training step's numbers in a single run. */
export interface TrainingGraph {
  readonly graph: Graph;
  readonly masks: readonly MaskInput[];
  /** Full names of the weights whose gradients come out, as `gradient/<name>`. */
  readonly gradients: readonly string[];
  /** Full names of the weights that are replaced, as `update/<name>`. */
  readonly updates: readonly string[];
}

const fedWeight =
  (builder: GraphBuilder) =>
  (name: string, storage: WeightStorage): Value =>
    builder.input(name, "float32", storage.shape);

/** Class numbers are fed as int32 [batch, …], everything else in the prediction's shape. */
export const targetIsClasses = (loss: LossConfig): boolean => loss.name === "sparse_categorical_crossentropy";

const single = (emitted: EmittedModel): Value => {
  const [prediction] = emitted.outputs;
  if (prediction === undefined || emitted.outputs.length !== 1) {
    throw new LearnError(
      "definition-invalid",
      "Training takes models with exactly one output. Join the outputs first.",
    );
  }
  return prediction;
};

interface Judged {
  /** Weighted sum of the samples' losses [1], then the sum of each metric. */
  readonly sums: readonly Value[];
}

const judge = (builder: GraphBuilder, objective: Objective, prediction: Value): Judged => {
  const { loss, metrics } = objective;
  const [batch = 1] = prediction.shape;
  const classes = targetIsClasses(loss);
  const target = builder.input(
    portNames.target,
    classes ? "int32" : "float32",
    classes ? prediction.shape.slice(0, -1) : prediction.shape,
  );
  const weight = builder.input(portNames.sampleWeight, "float32", [batch]);
  const sum = (value: Value): Value =>
    builder.apply("ReduceSum", [value, builder.integers([0])], { attributes: { keepdims: 1 } });
  const losses = emitLoss(builder, loss, { prediction, target });
  const measured = metrics.map((metric) => sum(emitMetric(builder, metric, { prediction, target, loss })));
  return { sums: [sum(builder.apply("Mul", [losses, weight])), ...measured] };
};

const joined = (builder: GraphBuilder, values: readonly Value[]): Value => {
  const [first] = values;
  if (first !== undefined && values.length === 1) return first;
  return builder.apply("Concat", values, { attributes: { axis: 0 } });
};

/** Builds forward pass, loss, metrics and gradients for one batch size as one graph. */
export const trainingGraph = (objective: Objective, batch: number): TrainingGraph => {
  const builder = new GraphBuilder();
  const emitted = emitModel(builder, objective.model, { batch, training: true, weight: fedWeight(builder) });
  const { sums } = judge(builder, objective, single(emitted));
  const total = sums[0] as Value;
  const loss = builder.apply("Mul", [
    builder.apply("Reshape", [total, builder.integers([])]),
    builder.scalarLike(total, 1 / batch),
  ]);
  const trainable = trainableNames(objective.model);
  const gradients = differentiate(builder, { loss, withRespectTo: trainable.map((name) => builder.value(name)) });
  const outputs: Record<string, Value> = { [portNames.sums]: joined(builder, sums) };
  for (const [index, name] of trainable.entries()) outputs[`gradient/${name}`] = gradients[index] as Value;
  for (const [name, value] of emitted.updates) outputs[`update/${name}`] = value;
  return {
    graph: builder.finish("training", outputs),
    masks: emitted.masks,
    gradients: trainable,
    updates: [...emitted.updates.keys()],
  };
};

/** Builds forward pass, loss and metrics for any batch size. */
export const evaluationGraph = (objective: Objective): Graph => {
  const builder = new GraphBuilder();
  const emitted = emitModel(builder, objective.model, { batch: "N", training: false, weight: fedWeight(builder) });
  return builder.finish("evaluation", {
    [portNames.sums]: joined(builder, judge(builder, objective, single(emitted)).sums),
  });
};

/** A graph that predicts, with how each weight lies in it. */
export interface PredictionGraph {
  readonly graph: Graph;
  readonly storages: ReadonlyMap<string, WeightStorage>;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** Builds the forward pass for any batch size; weights are inputs, or constants when their values are given. */
export const predictionGraph = (
  model: ResolvedModel,
  options: {
    readonly batch?: Dimension;
    readonly constants?: (name: string, storage: WeightStorage) => Tensor;
    /** Public names of the input and output of a model that has one each. */
    readonly names?: { readonly input: string; readonly output: string };
  } = {},
): PredictionGraph => {
  const builder = new GraphBuilder();
  const { constants } = options;
  const weight =
    constants === undefined
      ? fedWeight(builder)
      : (name: string, storage: WeightStorage): Value => builder.constant(constants(name, storage), name);
  const inputName = options.names?.input;
  const emitted = emitModel(builder, model, {
    batch: options.batch ?? "N",
    training: false,
    weight,
    ...(inputName === undefined ? {} : { inputName }),
  });
  const outputs = model.outputs.map((name) => options.names?.output ?? `output/${name}`);
  const ports = Object.fromEntries(outputs.map((name, index) => [name, emitted.outputs[index] as Value]));
  const graph = builder.finish(model.name, ports);
  return { graph, storages: emitted.storages, inputs: emitted.inputs.map(({ name }) => name), outputs };
};

/** Full names of the weights that are learnt, in the order of the layers. */
const trainableNames = (model: ResolvedModel): string[] =>
  model.layers.flatMap((layer) =>
    layer.weights.filter(({ trainable }) => trainable).map((weight) => `${layer.name}/${weight.name}`),
  );
