import { type ResolvedModel, resolveDefinition } from "../definition/resolve.ts";
import type { ModelDefinition } from "../definition/definition.ts";
import { summarize } from "../definition/summary.ts";
import { LearnError } from "../errors.ts";
import { type Loss, parseLoss } from "../losses/index.ts";
import { encodeModel } from "../onnx/encode.ts";
import { elementCount } from "../onnx/tensor.ts";
import { createOptimizer, type Optimizer, type OptimizerConfig, parseOptimizer, slotsOf } from "../optimizers/index.ts";
import { createRandom, type Random } from "../random.ts";
import { checkClasses, checkSamples, type DataArray, gatherRows, sampleCount } from "./data.ts";
import type { Executor, Session, TensorData } from "./executor.ts";
import { type FitOptions, fitModel, type History } from "./fit.ts";
import {
  evaluationGraph,
  type Objective,
  portNames,
  predictionGraph,
  targetIsClasses,
  trainingGraph,
} from "./graphs.ts";
import { type Metric, parseMetrics } from "./metrics.ts";
import { type SampleShapes, targetShape, TrainingProgram } from "./program.ts";
import type { LearnerState } from "./state.ts";
import { WeightStore, type WeightValues } from "./weights.ts";

/** Options of {@link compile}. */
export interface CompileOptions {
  /** Optimizer by name, or with its arguments; default `adam`. */
  readonly optimizer?: OptimizerConfig | OptimizerConfig["name"] | undefined;
  /** Loss by name, or with its arguments. */
  readonly loss: Loss;
  /** Followed beside the loss. */
  readonly metrics?: readonly Metric[] | undefined;
  /** Seed of initial weights, data order and dropout; default 1. */
  readonly seed?: number | undefined;
  /** Engine that runs the graphs. */
  readonly executor: Executor;
}

/** Names of the tensors of an exported graph. */
export interface ExportOptions {
  /** Default `x`. */
  readonly inputName?: string;
  /** Default `prediction`. */
  readonly outputName?: string;
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
  /** Generators of the dropout masks, by mask. */
  readonly masks: ReadonlyMap<string, Random>;
  /** State that the next `fit` goes on from. */
  resumeFrom: LearnerState | undefined;
  readonly #executor: Executor;
  readonly #programs = new Map<number, TrainingProgram>();
  #prediction: Promise<Session> | undefined;
  #evaluation: Promise<Session> | undefined;

  constructor(definition: ModelDefinition, options: CompileOptions) {
    this.definition = definition;
    this.model = resolveDefinition(definition);
    this.shapes = shapesOf(this.model);
    this.objective = {
      model: this.model,
      loss: parseLoss(options.loss),
      metrics: parseMetrics(options.metrics ?? []),
    };
    this.#executor = options.executor;
    const config = parseOptimizer(options.optimizer ?? "adam");
    const { storages } = predictionGraph(this.model);
    this.weights = new WeightStore(this.model, storages, slotsOf(config));
    this.optimizer = createOptimizer(config, this.weights.memory);
    const random = createRandom(options.seed ?? 1);
    this.weights.initialize(random);
    this.shuffle = random.split("shuffle");
    // Builds the graph once for one sample: what does not fit shows now and not in the first step.
    const probe = trainingGraph(this.objective, 1);
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

  /**
   * Trains.
   * @param x Samples [samples, …input].
   * @param y Targets [samples, …output], or class numbers [samples] for the sparse loss.
   */
  fit(x: DataArray, y: DataArray, options: FitOptions = {}): Promise<History> {
    this.#check(x, y);
    return fitModel(this, { x, y }, options);
  }

  /** Loss and metrics over a data set, by name. */
  async evaluate(x: DataArray, y: DataArray): Promise<Record<string, number>> {
    this.#check(x, y);
    const session = await (this.#evaluation ??= this.#load(encodeModel(evaluationGraph(this.objective))));
    const names = ["loss", ...this.objective.metrics];
    const totals = names.map(() => 0);
    const samples = sampleCount(x, "x");
    const row = targetShape(this.objective, this.shapes.output);
    const classes = targetIsClasses(this.objective.loss);
    for (let first = 0; first < samples; first += inferenceBatch) {
      const rows = range(first, Math.min(first + inferenceBatch, samples));
      const length = rows.length * elementCount(row);
      const target = classes ? new Int32Array(length) : new Float32Array(length);
      gatherRows(y, rows, target);
      const results = await session.run({
        ...this.#inputs(x, rows),
        [portNames.target]: { dtype: classes ? "int32" : "float32", shape: [rows.length, ...row], values: target },
        [portNames.sampleWeight]: {
          dtype: "float32",
          shape: [rows.length],
          values: new Float32Array(rows.length).fill(1),
        },
      });
      for (const i of totals.keys()) totals[i] = (totals[i] ?? 0) + Number(results[portNames.sums]?.values[i] ?? 0);
    }
    return Object.fromEntries(names.map((name, i) => [name, (totals[i] ?? 0) / samples]));
  }

  /** Outputs for samples: [samples, …output]. */
  async predict(x: DataArray): Promise<{ readonly shape: readonly number[]; readonly values: Float32Array }> {
    checkSamples(x, this.shapes.input, "x");
    const session = await (this.#prediction ??= this.#load(encodeModel(predictionGraph(this.model).graph)));
    const samples = sampleCount(x, "x");
    const width = elementCount(this.shapes.output);
    const values = new Float32Array(samples * width);
    for (let first = 0; first < samples; first += inferenceBatch) {
      const rows = range(first, Math.min(first + inferenceBatch, samples));
      const results = await session.run(this.#inputs(x, rows));
      const output = results[`output/${this.model.outputs[0] ?? ""}`];
      values.set(output?.values as Float32Array, first * width);
    }
    return { shape: [samples, ...this.shapes.output], values };
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
      names: { input: options.inputName ?? "x", output: options.outputName ?? "prediction" },
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
    const parts = { executor: this.#executor, weights: this.weights, shapes: this.shapes };
    const program = await TrainingProgram.load(this.objective, parts, batch);
    this.#programs.set(batch, program);
    return program;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const program of this.#programs.values()) await program[Symbol.asyncDispose]();
    await (await this.#prediction)?.[Symbol.asyncDispose]();
    await (await this.#evaluation)?.[Symbol.asyncDispose]();
  }

  #load(model: Uint8Array): Promise<Session> {
    return this.#executor.load(model);
  }

  #check(x: DataArray, y: DataArray): void {
    checkSamples(x, this.shapes.input, "x");
    checkSamples(y, targetShape(this.objective, this.shapes.output), "y");
    const [samples, targets] = [sampleCount(x, "x"), sampleCount(y, "y")];
    if (samples !== targets || samples === 0) {
      throw new LearnError(
        "shape-mismatch",
        `x holds ${samples} samples and y ${targets}; both must hold the same, at least one.`,
      );
    }
    if (targetIsClasses(this.objective.loss)) checkClasses(y, this.shapes.output.at(-1) ?? 1);
  }

  #inputs(x: DataArray, rows: Uint32Array): Record<string, TensorData> {
    const values = new Float32Array(rows.length * elementCount(this.shapes.input));
    gatherRows(x, rows, values);
    const shape = [rows.length, ...this.shapes.input];
    const inputs: Record<string, TensorData> = {
      [`input/${this.model.inputs[0] ?? ""}`]: { dtype: "float32", shape, values },
    };
    for (const name of this.weights.names()) inputs[name] = { dtype: "float32", ...this.weights.inside(name) };
    return inputs;
  }
}

const shapesOf = (model: ResolvedModel): SampleShapes => {
  if (model.inputs.length !== 1 || model.outputs.length !== 1) {
    throw new LearnError(
      "definition-invalid",
      `A model that is compiled has one input and one output, but this one has ${model.inputs.length} and ${model.outputs.length}. Join them with Concatenate or Add.`,
    );
  }
  const find = (name: string | undefined): readonly number[] =>
    model.layers.find((layer) => layer.name === name)?.outputShape ?? [];
  return { input: find(model.inputs[0]), output: find(model.outputs[0]) };
};

/**
 * Makes a definition ready for training: checks it, initialises its weights, prepares its optimizer.
 * @throws LearnError that names the layer, loss, metric or argument that does not fit.
 */
export const compile = (definition: ModelDefinition, options: CompileOptions): Promise<Learner> =>
  Promise.resolve().then(() => new Learner(definition, options));
