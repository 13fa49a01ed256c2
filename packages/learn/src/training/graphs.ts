import { differentiate, scatteredRows } from "../autodiff/index.ts";
import type { ResolvedModel } from "../definition/resolve.ts";
import type { WeightStorage } from "../layers/layer.ts";
import { emitReducedLoss } from "../losses/index.ts";
import { GraphBuilder } from "../onnx/builder.ts";
import type { Graph, Value } from "../onnx/graph.ts";
import type { Dimension, Tensor } from "../onnx/tensor.ts";
import { emitModel } from "./network.ts";
import type { EmittedModel, MaskInput } from "./network.ts";
import type { Objective, OutputObjective } from "./objective.ts";
import { emitPenalties } from "./penalties.ts";

/** Names of the graphs' inputs and outputs beside weights, masks, gradients and updates. */
export const portNames = {
  input: (layer: string): string => `input/${layer}`,
  target: (output: string): string => `target/${output}`,
  sampleWeight: (output: string): string => `sampleWeight/${output}`,
  sums: "sums",
} as const;

/** A gradient that is zero but for some rows, which can come several times and add up. */
export interface ScatteredGradient {
  readonly name: string;
  /** [rows, …row]. */
  readonly shape: readonly number[];
}

/** A graph that makes one training step's numbers in a single run. */
export interface TrainingGraph {
  readonly graph: Graph;
  readonly masks: readonly MaskInput[];
  /** Full names of the weights whose gradients come out, as `gradient/<name>`. */
  readonly gradients: readonly string[];
  /** Weights of whose gradients only some rows come out, as `rows/<name>` (int32) and `values/<name>`. */
  readonly scattered: readonly ScatteredGradient[];
  /** Full names of the weights that are replaced, as `update/<name>`. */
  readonly updates: readonly string[];
}

const fedWeight =
  (builder: GraphBuilder) =>
  (name: string, storage: WeightStorage): Value =>
    builder.input(name, "float32", storage.shape);

interface Judged {
  /** The total loss: the outputs' losses by their factors, and what regularizers add. */
  readonly loss: Value;
  /** What is reported of the batch, one sum after the other: the losses times the number of samples, the metrics. */
  readonly sums: Value;
}

interface JudgedOutput {
  readonly loss: Value;
  readonly metrics: readonly Value[];
  readonly weight: Value;
}

const judgeOutput = (builder: GraphBuilder, objective: OutputObjective, emitted: EmittedModel): JudgedOutput => {
  const { output, index, classes, targetShape, loss } = objective;
  const prediction = emitted.outputs[index] as Value;
  const [batch = 1] = prediction.shape;
  const target = builder.input(portNames.target(output), classes ? "int32" : "float32", [batch, ...targetShape]);
  const weight = builder.input(portNames.sampleWeight(output), "float32", [batch]);
  const metrics = objective.metrics.map(({ meter, isWeighted }) =>
    meter.emit(builder, { prediction, target, classes, weight: isWeighted ? weight : undefined }),
  );
  const mask = emitted.results.get(output)?.mask;
  return { loss: emitReducedLoss(builder, loss, { prediction, target, sampleWeight: weight, mask }), metrics, weight };
};

/** The number of samples, from their weights, when it is only known when the graph runs. */
const countOf = (builder: GraphBuilder, weight: Value): Value => {
  const [batch] = weight.shape;
  if (typeof batch === "number") return builder.scalarLike(weight, batch);
  const ones = builder.cast(builder.apply("Equal", [weight, weight]), "float32");
  return builder.apply("ReduceSum", [ones, builder.integers([0])], { attributes: { keepdims: 0 } });
};

const judge = (builder: GraphBuilder, objective: Objective, emitted: EmittedModel): Judged => {
  const judged = objective.outputs.map((output) => judgeOutput(builder, output, emitted));
  const terms = judged.map(({ loss }, index) => {
    const factor = objective.outputs[index]?.lossWeight ?? 1;
    return factor === 1 ? loss : builder.apply("Mul", [loss, builder.scalarLike(loss, factor)]);
  });
  const penalties = emitPenalties(builder, objective.model, emitted);
  const all = penalties === undefined ? terms : [...terms, penalties];
  const loss = all.reduce((sum, term) => builder.apply("Add", [sum, term]));
  const count = countOf(builder, (judged[0] as JudgedOutput).weight);
  const counted = (value: Value): Value =>
    builder.apply("Reshape", [builder.apply("Mul", [value, count]), builder.integers([1])]);
  const losses = judged.length === 1 ? [] : judged.map((output) => counted(output.loss));
  const lists = [counted(loss), ...losses, ...judged.flatMap(({ metrics }) => metrics)];
  const [first] = lists;
  const sums =
    first !== undefined && lists.length === 1 ? first : builder.apply("Concat", lists, { attributes: { axis: 0 } });
  return { loss, sums };
};

/**
 * Builds forward pass, loss, metrics and gradients for one batch size as one graph.
 * @param share Part that these samples are of the batch whose gradient is wanted: the gradients are multiplied by it,
 *   so that those of all parts add up to the batch's.
 */
export const trainingGraph = (objective: Objective, batch: number, share = 1): TrainingGraph => {
  const builder = new GraphBuilder();
  const emitted = emitModel(builder, objective.model, { batch, training: true, weight: fedWeight(builder) });
  const { loss, sums } = judge(builder, objective, emitted);
  const trainable = trainableNames(objective.model);
  const part = share === 1 ? loss : builder.apply("Mul", [loss, builder.scalarLike(loss, share)]);
  const gradients = differentiate(builder, { loss: part, withRespectTo: trainable.map((name) => builder.value(name)) });
  const outputs: Record<string, Value> = { [portNames.sums]: sums };
  const scattered: ScatteredGradient[] = [];
  for (const [index, name] of trainable.entries()) {
    const gradient = gradients[index] as Value;
    const parts = scatteredRows(builder, gradient);
    if (parts === undefined) outputs[`gradient/${name}`] = gradient;
    else {
      outputs[`rows/${name}`] = parts.rows;
      outputs[`values/${name}`] = parts.values;
      scattered.push({ name, shape: parts.values.shape.map(Number) });
    }
  }
  for (const [name, value] of emitted.updates) outputs[`update/${name}`] = value;
  return {
    graph: builder.finish("training", outputs),
    masks: emitted.masks,
    gradients: trainable.filter((name) => !scattered.some((gradient) => gradient.name === name)),
    scattered,
    updates: [...emitted.updates.keys()],
  };
};

/** Builds forward pass, loss and metrics for any batch size. */
export const evaluationGraph = (objective: Objective): Graph => {
  const builder = new GraphBuilder();
  const emitted = emitModel(builder, objective.model, { batch: "N", training: false, weight: fedWeight(builder) });
  return builder.finish("evaluation", { [portNames.sums]: judge(builder, objective, emitted).sums });
};

/** A graph that predicts, with how each weight lies in it. */
export interface PredictionGraph {
  readonly graph: Graph;
  readonly storages: ReadonlyMap<string, WeightStorage>;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Whether an output leaves steps of its sequences out. */
  readonly masked: boolean;
}

/** Builds the forward pass for any batch size; weights are inputs, or constants when their values are given. */
export const predictionGraph = (
  model: ResolvedModel,
  options: {
    readonly batch?: Dimension;
    readonly constants?: (name: string, storage: WeightStorage) => Tensor;
    /** Public names of the inputs and outputs, by layer. */
    readonly names?: {
      readonly input: (layer: string) => string;
      readonly output: (layer: string) => string;
    };
  } = {},
): PredictionGraph => {
  const builder = new GraphBuilder();
  const { constants } = options;
  const weight =
    constants === undefined
      ? fedWeight(builder)
      : (name: string, storage: WeightStorage): Value => builder.constant(constants(name, storage), name);
  const emitted = emitModel(builder, model, {
    batch: options.batch ?? "N",
    training: false,
    weight,
    inputName: options.names?.input ?? portNames.input,
  });
  const outputs = model.outputs.map((name) => options.names?.output(name) ?? `output/${name}`);
  const ports = Object.fromEntries(outputs.map((name, index) => [name, emitted.outputs[index] as Value]));
  const graph = builder.finish(model.name, ports);
  const masked = model.outputs.some((name) => emitted.results.get(name)?.mask !== undefined);
  return { graph, storages: emitted.storages, inputs: emitted.inputs.map(({ name }) => name), outputs, masked };
};

/** Full names of the weights that are learnt, in the order of the layers. */
const trainableNames = (model: ResolvedModel): string[] =>
  model.layers.flatMap((layer) =>
    layer.weights.filter(({ trainable }) => trainable).map((weight) => `${layer.name}/${weight.name}`),
  );
