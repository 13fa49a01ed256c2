import { differentiate } from "../autodiff/index.ts";
import type { ResolvedModel } from "../definition/resolve.ts";
import { LearnError } from "../errors.ts";
import { GraphBuilder } from "../onnx/builder.ts";
import { encodeModel } from "../onnx/encode.ts";
import type { Graph } from "../onnx/graph.ts";
import { elementCount } from "../onnx/tensor.ts";
import { checkSamples, type DataArray, gatherRows, sampleCount } from "./data.ts";
import type { Executor, Session, TensorData } from "./executor.ts";
import { portNames } from "./graphs.ts";
import { emitModel } from "./network.ts";
import { type Arrays, arrange } from "./samples.ts";
import type { WeightStore } from "./weights.ts";

/** What is differentiated. */
export interface InputGradientOptions {
  /** Output of the model; its first by default. */
  readonly output?: string;
  /** For each sample the element of the output's last axis, such as a class; without it and `factors`, the sum of all. */
  readonly elements?: ArrayLike<number>;
  /** Factors of the output's elements in the sum that is differentiated, [samples, …output]. */
  readonly factors?: DataArray;
}

/** Gradients by one input. */
export interface InputGradient {
  /** [samples, …input]. */
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** Samples of one run; the graph is built for a fixed number. */
const batchMax = 32;

const graphOf = (model: ResolvedModel, output: string, batch: number): Graph => {
  const builder = new GraphBuilder();
  const emitted = emitModel(builder, model, {
    batch,
    training: false,
    differentiable: true,
    weight: (name, storage) => builder.input(name, "float32", storage.shape),
  });
  const result = emitted.outputs[model.outputs.indexOf(output)];
  if (result === undefined) {
    throw new LearnError(
      "definition-invalid",
      `The model has no output "${output}". Its outputs: ${model.outputs.join(", ")}.`,
    );
  }
  const factors = builder.input("factors", "float32", result.shape);
  const loss = builder.apply("ReduceSum", [builder.apply("Mul", [result, factors])], { attributes: { keepdims: 0 } });
  const gradients = differentiate(builder, { loss, withRespectTo: emitted.inputs });
  const outputs = Object.fromEntries(gradients.map((value, index) => [`gradient/${model.inputs[index] ?? ""}`, value]));
  return builder.finish("input-gradients", outputs);
};

const shapeOf = (model: ResolvedModel, name: string): readonly number[] =>
  model.layers.find((layer) => layer.name === name)?.outputShape ?? [];

const factorsOf = (options: InputGradientOptions, shape: readonly number[], samples: number): DataArray => {
  const { factors, elements } = options;
  const values = new Float32Array(samples * elementCount(shape));
  if (factors !== undefined) {
    checkSamples(factors, shape, "factors");
    return factors;
  }
  if (elements === undefined) return { shape: [samples, ...shape], values: values.fill(1) };
  const last = shape.at(-1) ?? 1;
  for (let at = 0; at < values.length; at++) {
    const sample = Math.floor(at / elementCount(shape));
    values[at] = at % last === elements[sample] ? 1 : 0;
  }
  return { shape: [samples, ...shape], values };
};

/**
 * Gradients of a model's output by its inputs, which explainers are made of: dropout is off, and normalisations use
 * their moving statistics. Whole numbers, such as those of an Embedding, have a gradient of zero.
 */
export class InputGradients implements AsyncDisposable {
  readonly #model: ResolvedModel;
  readonly #weights: WeightStore;
  readonly #executor: Executor;
  readonly #sessions = new Map<string, Promise<Session>>();

  constructor(parts: { readonly model: ResolvedModel; readonly weights: WeightStore; readonly executor: Executor }) {
    this.#model = parts.model;
    this.#weights = parts.weights;
    this.#executor = parts.executor;
  }

  /** Gradients by input, for samples of all inputs. */
  async of(x: Arrays, options: InputGradientOptions): Promise<Readonly<Record<string, InputGradient>>> {
    const { inputs, outputs } = this.#model;
    const arrays = arrange(x, inputs, "x");
    for (const [index, name] of inputs.entries()) {
      checkSamples(arrays[index] as DataArray, shapeOf(this.#model, name), "x");
    }
    const samples = Math.min(...arrays.map((array) => sampleCount(array, "x")));
    const output = options.output ?? outputs[0] ?? "";
    const batch = Math.min(samples, batchMax);
    const session = await this.#session(output, batch);
    const factors = factorsOf(options, shapeOf(this.#model, output), samples);
    const results = inputs.map((name): [string, InputGradient] => {
      const shape = [samples, ...shapeOf(this.#model, name)];
      return [name, { shape, values: new Float32Array(elementCount(shape)) }];
    });
    for (let first = 0; first < samples; first += batch) {
      // The last run goes over samples of the one before again, so that all runs have one size.
      const from = Math.min(first, samples - batch);
      const rows = Uint32Array.from({ length: batch }, (_, index) => from + index);
      const found = await session.run({ ...this.#feeds(arrays, rows), factors: rowsOf(factors, rows) });
      for (const [name, { values }] of results) {
        values.set(found[`gradient/${name}`]?.values as Float32Array, from * (values.length / samples));
      }
    }
    return Object.fromEntries(results);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of this.#sessions.values()) await (await session)[Symbol.asyncDispose]();
  }

  #session(output: string, batch: number): Promise<Session> {
    const key = `${output}#${batch}`;
    const known = this.#sessions.get(key);
    if (known !== undefined) return known;
    const session = this.#executor.load(encodeModel(graphOf(this.#model, output, batch)));
    this.#sessions.set(key, session);
    return session;
  }

  #feeds(arrays: readonly DataArray[], rows: Uint32Array): Record<string, TensorData> {
    const feeds: Record<string, TensorData> = {};
    for (const [index, name] of this.#model.inputs.entries()) {
      feeds[portNames.input(name)] = rowsOf(arrays[index] as DataArray, rows, shapeOf(this.#model, name));
    }
    for (const name of this.#weights.names()) feeds[name] = { dtype: "float32", ...this.#weights.inside(name) };
    return feeds;
  }
}

const rowsOf = (array: DataArray, rows: Uint32Array, sample: readonly number[] = array.shape.slice(1)): TensorData => {
  const values = new Float32Array(rows.length * elementCount(sample));
  gatherRows(array, rows, values);
  return { dtype: "float32", shape: [rows.length, ...sample], values };
};
