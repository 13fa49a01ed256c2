import { encodeModel } from "../onnx/encode.ts";
import { elementCount } from "../onnx/tensor.ts";
import type { BatchArrays } from "./batch-source.ts";
import type { ArrayValue, Binding, Executor, Place, Session, TensorData } from "./executor.ts";
import { portNames, type TrainingGraph, trainingGraph } from "./graphs.ts";
import type { Objective } from "./objective.ts";
import { floatArray, type WeightStore } from "./weights.ts";

/** Rows of a batch that one lane computes. */
export interface Rows {
  readonly first: number;
  readonly count: number;
}

/** What a shard is loaded from. */
export interface ShardParts {
  readonly objective: Objective;
  readonly executor: Executor;
  readonly weights: WeightStore;
  readonly batch: number;
  /** Threads inside each session; left to the executor by default. */
  readonly threads?: number | undefined;
}

/** The rows of a batch that a shard computes, and the arrays that they are a part of. */
export interface ShardData {
  readonly rows: Rows;
  readonly arrays: BatchArrays;
  readonly model: ShardModel;
}

/** The training graph over a number of samples, and its file. */
export interface ShardModel {
  readonly built: TrainingGraph;
  readonly bytes: Uint8Array;
}

/** Builds the graph over `count` of the samples of a batch. */
export const shardModel = ({ objective, batch }: ShardParts, count: number): ShardModel => {
  const built = trainingGraph(objective, count, count / batch);
  return { built, bytes: encodeModel(built.graph) };
};

/** Random numbers of one shard: a dropout mask, or noise where there is no rate. */
export interface ShardMask {
  readonly name: string;
  readonly rate: number | undefined;
  readonly values: Float32Array;
}

/** New values of a weight that is measured instead of learnt, as one shard has them. */
export interface ShardUpdate {
  readonly from: Float32Array;
  readonly to: Float32Array;
}

/** Rows that a shard adds to a weight's gradient. */
export interface ShardRows {
  readonly name: string;
  readonly rows: Int32Array;
  readonly values: Float32Array;
}

/** Splits a batch over lanes as evenly as can be; the first ones take what is left over. */
export const splitRows = (batch: number, lanes: number): readonly Rows[] => {
  const used = Math.min(batch, lanes);
  const [small, rest] = [Math.floor(batch / used), batch % used];
  return Array.from({ length: used }, (_, lane) => ({
    first: lane * small + Math.min(lane, rest),
    count: small + (lane < rest ? 1 : 0),
  }));
};

const float = (shape: readonly number[], values: Float32Array): TensorData => ({ dtype: "float32", shape, values });

/** The rows of an array whose first axis is the batch. */
const rowsOf = <Values extends ArrayValue>(values: Values, { first, count }: Rows, batch: number): Values => {
  const width = values.length / batch;
  return values.subarray(first * width, (first + count) * width) as Values;
};

/** The training graph over some rows of a batch, loaded on a lane and bound to those rows and to the lane's gradients. */
export class Shard implements AsyncDisposable {
  readonly rows: Rows;
  readonly masks: readonly ShardMask[];
  /** What the rows add to the objective's readings. */
  readonly sums: Float32Array;
  readonly updates: readonly ShardUpdate[];
  readonly scattered: readonly ShardRows[];
  readonly #session: Session;
  readonly #binding: Binding;

  static async load(parts: ShardParts, place: Place, data: ShardData): Promise<Shard> {
    const session = await parts.executor.load(data.model.bytes, place);
    return new Shard(session, parts, { ...data, lane: place.lane });
  }

  private constructor(
    session: Session,
    { objective, weights, batch }: ShardParts,
    at: ShardData & { readonly lane: number },
  ) {
    const { lane, rows } = at;
    const { built } = at.model;
    const shared = weights.lanes > 1;
    this.rows = rows;
    this.#session = session;
    this.sums = floatArray(objective.sumCount, shared);
    this.masks = built.masks.map(({ name, shape, rate }) => {
      return { name, rate, values: floatArray(elementCount(shape.map(Number)), shared) };
    });
    const updates = built.updates.map((name) => {
      const { shape, values: to } = weights.inside(name);
      return { name, shape, from: floatArray(to.length, shared), to };
    });
    this.updates = updates;
    const scattered = built.scattered.map(({ name, shape }) => {
      const rows = new Int32Array(floatArray(shape[0] ?? 0, shared).buffer);
      return { name, shape, rows, values: floatArray(elementCount(shape), shared) };
    });
    this.scattered = scattered;
    const part = <Values extends ArrayValue>(values: Values): Values => rowsOf(values, rows, batch);
    const feeds = this.#batchFeeds(objective, at.arrays, part);
    const used = new Set(built.graph.inputs.map(({ name }) => name));
    for (const name of weights.names().filter((weight) => used.has(weight))) {
      const { shape, values } = weights.inside(name);
      feeds[name] = float(shape, values);
    }
    for (const [index, { name, shape }] of built.masks.entries()) {
      feeds[name] = float(shape.map(Number), this.masks[index]?.values ?? new Float32Array());
    }
    const outputs: Record<string, TensorData> = { [portNames.sums]: float([this.sums.length], this.sums) };
    for (const name of built.gradients) {
      const { shape, values } = weights.gradient(name, lane);
      outputs[`gradient/${name}`] = float(shape, values);
    }
    for (const { name, shape, rows, values } of scattered) {
      outputs[`rows/${name}`] = { dtype: "int32", shape: [rows.length], values: rows };
      outputs[`values/${name}`] = float(shape, values);
    }
    for (const { name, shape, from } of updates) outputs[`update/${name}`] = float(shape, from);
    this.#binding = session.bind(feeds, outputs);
  }

  /** Runs forward and backward pass: gradients come to lie in the lane's part of the weights' memory. */
  run(): Promise<void> {
    return this.#binding.run();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session[Symbol.asyncDispose]();
  }

  #batchFeeds(
    { model, outputs }: Objective,
    arrays: BatchArrays,
    part: <Values extends ArrayValue>(values: Values) => Values,
  ): Record<string, TensorData> {
    const feeds: Record<string, TensorData> = {};
    const { count } = this.rows;
    for (const [index, name] of model.inputs.entries()) {
      const sample = model.layers.find((layer) => layer.name === name)?.outputShape ?? [];
      feeds[portNames.input(name)] = float([count, ...sample], part(arrays.inputs[index] as Float32Array));
    }
    for (const [index, { output, classes, targetShape }] of outputs.entries()) {
      const values = part(arrays.targets[index] as Float32Array | Int32Array);
      const dtype = classes ? "int32" : "float32";
      feeds[portNames.target(output)] = { dtype, shape: [count, ...targetShape], values };
      feeds[portNames.sampleWeight(output)] = float([count], part(arrays.sampleWeights[index] as Float32Array));
    }
    return feeds;
  }
}
