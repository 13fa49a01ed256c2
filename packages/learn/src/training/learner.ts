import { type ResolvedModel, resolveDefinition } from "../definition/resolve.ts";
import type { ModelDefinition } from "../definition/definition.ts";
import { summarize } from "../definition/summary.ts";
import { LearnError } from "../errors.ts";
import { encodeModel } from "../onnx/encode.ts";
import { countOperations } from "../onnx/operations-count.ts";
import { prune } from "../onnx/prune.ts";
import { elementCount } from "../onnx/tensor.ts";
import { createOptimizer, type Optimizer, type OptimizerConfig, parseOptimizer, slotsOf } from "../optimizers/index.ts";
import { createRandom, type Random } from "../random.ts";
import { arraySource, type BatchArrays, type BatchSource, isBatchSource } from "./batch-source.ts";
import { checkSamples, type DataArray, gatherRows, sampleCount } from "./data.ts";
import type { Executor, Session, TensorData, TrainingWork } from "./executor.ts";
import { type FitOptions, fitModel, type History } from "./fit.ts";
import { evaluationGraph, portNames, predictionGraph, type TrainingGraph, trainingGraph } from "./graphs.ts";
import { isSeparable, type Objective, type ObjectiveOptions, parseObjective, read } from "./objective.ts";
import { batchArrays, TrainingProgram } from "./program.ts";
import { arrange, type Arrays, type LabelledData, prepareSamples } from "./samples.ts";
import { type InputGradient, type InputGradientOptions, InputGradients } from "./input-gradients.ts";
import type { LearnerState } from "./state.ts";
import { WeightStore, type WeightValues } from "./weights.ts";

/** Options of {@link compile}. */
export interface CompileOptions extends ObjectiveOptions {
  /** Optimizer by name, or with its arguments; default `adam`. */
  readonly optimizer?: OptimizerConfig | OptimizerConfig["name"] | undefined;
  /** Seed of initial weights, data order and dropout; default 1. */
  readonly seed?: number | undefined;
  /** Engine that runs the graphs. */
  readonly executor: Executor;
}

/** Names of the tensors of an exported graph; a model with several inputs or outputs gives those their layers' names. */
export interface ExportOptions {
  /** Name of the only input; default `x`. */
  readonly inputName?: string;
  /** Name of the only output; default `prediction`. */
  readonly outputName?: string;
}

/** Shapes of one sample's first input and output. */
export interface SampleShapes {
  readonly input: readonly number[];
  readonly output: readonly number[];
}

/** What a model gives for samples: row-major values [samples, …output]. */
export interface Prediction {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** Samples that are predicted or evaluated in one run. */
const inferenceBatch = 256;

/** Rows first…last−1 as numbers. */
const range = (first: number, last: number): Uint32Array =>
  Uint32Array.from({ length: last - first }, (_, i) => first + i);

/** A compiled model: it trains, evaluates, predicts, and gives its weights and graphs away. */
export class Learner implements AsyncDisposable {
  readonly definition: ModelDefinition;
  readonly model: ResolvedModel;
  readonly shapes: SampleShapes;
  readonly objective: Objective;
  readonly weights: WeightStore;
  readonly optimizer: Optimizer;
  /** Generator of the data order. */
  readonly shuffle: Random;
  /** Generators of the batches' augmentations are split from it; it is never drawn from. */
  readonly batches: Random;
  /** Generators of the dropout masks, by mask. */
  readonly masks: ReadonlyMap<string, Random>;
  /** State that the next `fit` goes on from. */
  resumeFrom: LearnerState | undefined;
  readonly #executor: Executor;
  readonly #threads: number | undefined;
  readonly #programs = new Map<number, TrainingProgram>();
  readonly #inputGradients: InputGradients;
  #prediction: Promise<Session> | undefined;
  #evaluation: Promise<Session> | undefined;

  constructor(definition: ModelDefinition, options: CompileOptions) {
    this.definition = definition;
    this.model = resolveDefinition(definition);
    this.shapes = shapesOf(this.model);
    this.objective = parseObjective(this.model, options);
    this.#executor = options.executor;
    const config = parseOptimizer(options.optimizer ?? "adam");
    const { storages, masked } = predictionGraph(this.model);
    // Builds the graph once for one sample: what does not fit shows now and not in the first step.
    const probe = trainingGraph(this.objective, 1);
    const spread = options.executor.spread?.(workOf(probe));
    const fits = (isSeparable(this.objective) && !masked) || spread?.lanes === 1;
    this.#threads = fits ? spread?.threads : undefined;
    this.weights = new WeightStore(this.model, storages, {
      slots: slotsOf(config),
      lanes: fits ? (spread?.lanes ?? 1) : 1,
    });
    this.#inputGradients = new InputGradients({ model: this.model, weights: this.weights, executor: options.executor });
    this.optimizer = createOptimizer(config, this.weights.memory);
    const random = createRandom(options.seed ?? 1);
    this.weights.initialize(random);
    this.shuffle = random.split("shuffle");
    this.batches = random.split("batches");
    this.masks = new Map(probe.masks.map(({ name }) => [name, random.split(name)]));
  }

  /** Number of learnt and of measured weights. */
  get parameterCount(): number {
    return this.model.layers.flatMap((layer) => layer.weights).reduce((sum, w) => sum + elementCount(w.shape), 0);
  }

  /** Layers with output shapes and parameter counts, as a table in text. */
  summary(): string {
    return summarize(this.model);
  }

  /** Trains on a source, which gives the samples batch by batch. */
  fit(source: BatchSource, options?: FitOptions): Promise<History>;
  /**
   * Trains on arrays.
   * @param x Samples [samples, …input]; of several inputs in their order, or by name.
   * @param y Targets [samples, …output], or class numbers [samples, …] for the sparse loss; of several outputs alike.
   */
  fit(x: Arrays, y: Arrays, options?: FitOptions): Promise<History>;
  fit(x: Arrays | BatchSource, y: Arrays | FitOptions = {}, options: FitOptions = {}): Promise<History> {
    // The overloads pair a source with options, and arrays with arrays.
    if (isBatchSource(x)) return fitModel(this, x, y as FitOptions);
    return fitModel(this, { x, y: y as Arrays, sampleWeight: options.sampleWeight }, options);
  }

  /** Loss and metrics over a data set, by name. Weights multiply the samples' losses, as in `fit`. */
  async evaluate(
    x: Arrays,
    y: Arrays,
    options: Pick<LabelledData, "sampleWeight"> = {},
  ): Promise<Record<string, number>> {
    return this.evaluateSource(arraySource(prepareSamples(this.objective, { x, y, ...options })));
  }

  /** Loss and metrics over the samples of a source, by name. */
  async evaluateSource(source: BatchSource): Promise<Record<string, number>> {
    const { objective } = this;
    const session = await (this.#evaluation ??= this.#load(encodeModel(evaluationGraph(objective))));
    const totals = Array.from({ length: objective.sumCount }, () => 0);
    const random = this.batches.split("evaluation");
    for (let first = 0; first < source.samples; first += inferenceBatch) {
      const rows = range(first, Math.min(first + inferenceBatch, source.samples));
      const arrays = batchArrays(objective, rows.length, false);
      await source.read({ rows, random: random.split(String(first)) }, arrays);
      const sums = (await session.run(this.#feeds(arrays, rows.length)))[portNames.sums]?.values as Float32Array;
      for (const i of totals.keys()) totals[i] = (totals[i] ?? 0) + (sums[i] ?? 0);
    }
    return read(objective, totals, source.samples);
  }

  /**
   * Outputs for samples, of a model with one output.
   * @throws LearnError `definition-invalid` for several outputs, which `predictAll` gives.
   */
  async predict(x: Arrays): Promise<Prediction> {
    const [output = "", ...others] = this.model.outputs;
    const prediction = others.length === 0 ? (await this.predictAll(x))[output] : undefined;
    if (prediction !== undefined) return prediction;
    throw new LearnError(
      "definition-invalid",
      `The model has the outputs ${this.model.outputs.join(", ")}. Call predictAll to get them by name.`,
    );
  }

  /** All outputs for samples, by name. */
  async predictAll(x: Arrays): Promise<Readonly<Record<string, Prediction>>> {
    const { model } = this;
    const inputs = arrange(x, model.inputs, "x");
    for (const [index, name] of model.inputs.entries()) {
      checkSamples(inputs[index] as DataArray, shapeOf(model, name), "x");
    }
    const session = await (this.#prediction ??= this.#load(encodeModel(predictionGraph(model).graph)));
    const samples = Math.min(...inputs.map((array) => sampleCount(array, "x")));
    const predictions = model.outputs.map((name) => {
      const shape = [samples, ...shapeOf(model, name)];
      return { name, prediction: { shape, values: new Float32Array(elementCount(shape)) } };
    });
    for (let first = 0; first < samples; first += inferenceBatch) {
      const rows = range(first, Math.min(first + inferenceBatch, samples));
      const results = await session.run(this.#inputs(inputs, rows));
      for (const { name, prediction } of predictions) {
        const width = prediction.values.length / samples;
        prediction.values.set(results[`output/${name}`]?.values as Float32Array, first * width);
      }
    }
    return Object.fromEntries(predictions.map(({ name, prediction }) => [name, prediction]));
  }

  /** Gradients of an output by the inputs, by input, as explainers take them; see {@link InputGradients}. */
  inputGradients(x: Arrays, options: InputGradientOptions = {}): Promise<Readonly<Record<string, InputGradient>>> {
    return this.#inputGradients.of(x, options);
  }

  /** A weight in its public Keras layout, by its full name `layer/weight`. */
  getWeight(name: string): WeightValues {
    return this.weights.get(name);
  }

  /** Replaces a weight's values, given in its public Keras layout. */
  setWeight(name: string, values: ArrayLike<number>): void {
    this.weights.set(name, values);
  }

  /** The model as an ONNX file: weights inside, any batch size, channels last. Equal weights give equal bytes. */
  exportOnnx(options: ExportOptions = {}): Uint8Array {
    const { graph } = predictionGraph(this.model, {
      batch: "batch",
      names: {
        input: (layer) => (this.model.inputs.length > 1 ? layer : (options.inputName ?? "x")),
        output: (layer) => (this.model.outputs.length > 1 ? layer : (options.outputName ?? "prediction")),
      },
      constants: (name, storage) => ({
        dtype: "float32",
        shape: storage.shape,
        values: Float32Array.from(this.weights.inside(name).values),
      }),
    });
    return encodeModel(graph);
  }

  /** Prepares the next `fit` to go on exactly where a state was taken. */
  restore(state: LearnerState): void {
    for (const [name, values] of Object.entries(state.weights)) this.weights.set(name, values);
    for (const [key, values] of Object.entries(state.slots)) {
      const at = key.lastIndexOf("#");
      this.weights.setSlot(key.slice(0, at), Number(key.slice(at + 1)), values);
    }
    this.optimizer.restore(state.optimizer);
    for (const [name, random] of Object.entries(state.masks)) this.masks.get(name)?.restore(random);
    this.shuffle.restore(state.position.shuffle);
    this.resumeFrom = state;
  }

  /** The training program of a batch size; made at its first use. */
  async program(batch: number): Promise<TrainingProgram> {
    const known = this.#programs.get(batch);
    if (known !== undefined) return known;
    const program = await TrainingProgram.load({
      objective: this.objective,
      executor: this.#executor,
      weights: this.weights,
      threads: this.#threads,
      batch,
    });
    this.#programs.set(batch, program);
    return program;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const program of this.#programs.values()) await program[Symbol.asyncDispose]();
    await this.#inputGradients[Symbol.asyncDispose]();
    await (await this.#prediction)?.[Symbol.asyncDispose]();
    await (await this.#evaluation)?.[Symbol.asyncDispose]();
  }

  #load(model: Uint8Array): Promise<Session> {
    return this.#executor.load(model);
  }

  #inputs(arrays: readonly DataArray[], rows: Uint32Array): Record<string, TensorData> {
    const feeds: Record<string, TensorData> = {};
    for (const [index, name] of this.model.inputs.entries()) {
      const shape = [rows.length, ...shapeOf(this.model, name)];
      const values = new Float32Array(elementCount(shape));
      gatherRows(arrays[index] as DataArray, rows, values);
      feeds[portNames.input(name)] = { dtype: "float32", shape, values };
    }
    for (const name of this.weights.names()) feeds[name] = { dtype: "float32", ...this.weights.inside(name) };
    return feeds;
  }

  #feeds({ inputs, targets, sampleWeights }: BatchArrays, samples: number): Record<string, TensorData> {
    const feeds: Record<string, TensorData> = {};
    const float = (shape: readonly number[], values: Float32Array): TensorData => ({ dtype: "float32", shape, values });
    for (const [index, name] of this.model.inputs.entries()) {
      const values = inputs[index] ?? new Float32Array();
      feeds[portNames.input(name)] = float([samples, ...shapeOf(this.model, name)], values);
    }
    for (const [index, { output, targetShape }] of this.objective.outputs.entries()) {
      const values = targets[index] ?? new Float32Array();
      const shape = [samples, ...targetShape];
      feeds[portNames.target(output)] =
        values instanceof Int32Array ? { dtype: "int32", shape, values } : float(shape, values);
      feeds[portNames.sampleWeight(output)] = float([samples], sampleWeights[index] ?? new Float32Array());
    }
    for (const name of this.weights.names()) feeds[name] = { dtype: "float32", ...this.weights.inside(name) };
    return feeds;
  }
}

const workOf = ({ graph, gradients, scattered }: TrainingGraph): TrainingWork => {
  const learnt = [...gradients, ...scattered.map(({ name }) => name)];
  const sizes = learnt.map((name) => elementCount((graph.types.get(name)?.shape ?? []).map(Number)));
  return {
    operations: 32 * countOperations(prune(graph)),
    weights: sizes.reduce((sum, size) => sum + size, 0),
  };
};

const shapeOf = (model: ResolvedModel, name: string): readonly number[] =>
  model.layers.find((layer) => layer.name === name)?.outputShape ?? [];

const shapesOf = (model: ResolvedModel): SampleShapes => ({
  input: shapeOf(model, model.inputs[0] ?? ""),
  output: shapeOf(model, model.outputs[0] ?? ""),
});

/**
 * Makes a definition ready for training: checks it, initialises its weights, prepares its optimizer.
 * @throws LearnError that names the layer, loss, metric or argument that does not fit.
 */
export const compile = (definition: ModelDefinition, options: CompileOptions): Promise<Learner> =>
  Promise.resolve().then(() => new Learner(definition, options));
