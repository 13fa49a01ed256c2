import { LearnError } from "../errors.ts";
import { elementCount } from "../onnx/tensor.ts";
import type { Random } from "../random.ts";
import type { Objective } from "./objective.ts";
import type { BatchArrays } from "./batch-source.ts";
import { Shard, type ShardModel, shardModel, type ShardParts, splitRows } from "./shard.ts";
import { floatArray, type WeightStore } from "./weights.ts";

/** Arrays for a batch. @param shared Whether other threads are to see them. */
export const batchArrays = ({ model, outputs }: Objective, batch: number, shared: boolean): BatchArrays => {
  const floats = (sample: readonly number[]): Float32Array => floatArray(batch * elementCount(sample), shared);
  return {
    inputs: model.inputs.map((name) => floats(model.layers.find((layer) => layer.name === name)?.outputShape ?? [])),
    targets: outputs.map(({ classes, targetShape }) => {
      const values = floats(targetShape);
      return classes ? new Int32Array(values.buffer) : values;
    }),
    sampleWeights: outputs.map(() => floats([]).fill(1)),
  };
};

const fillNormal = (random: Random, target: Float32Array): void => {
  for (let i = 0; i < target.length; i++) target[i] = random.normal();
};

/** Adds rows to the rows of a matrix that they are meant for; a negative number counts from the last row. */
const addRows = (matrix: Float32Array, rows: Int32Array, values: Float32Array): void => {
  const width = values.length / rows.length;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number;
    const to = row < 0 ? matrix.length + row * width : row * width;
    const from = i * width;
    for (let k = 0; k < width; k++) matrix[to + k] = (matrix[to + k] as number) + (values[from + k] as number);
  }
};

/**
 * The training of one batch size, loaded and bound: buffers that the caller fills, and a run that leaves the gradients
 * in the weights' memory. The batch is split over the executor's lanes; their gradients are added in the lanes' order,
 * so that equal numbers of lanes give equal results. It knows nothing of epochs and optimizers.
 */
export class TrainingProgram implements AsyncDisposable {
  readonly batch: number;
  /** By input of the model. */
  readonly inputs: readonly Float32Array[];
  /** By output that has a loss. */
  readonly targets: readonly (Float32Array | Int32Array)[];
  /** By output that has a loss; 1 at first. */
  readonly sampleWeights: readonly Float32Array[];
  /** What the batch adds to the objective's readings. */
  readonly sums: Float32Array;
  readonly #weights: WeightStore;
  readonly #shards: readonly Shard[];

  static async load(parts: ShardParts): Promise<TrainingProgram> {
    const arrays = batchArrays(parts.objective, parts.batch, parts.weights.lanes > 1);
    const places = splitRows(parts.batch, parts.weights.lanes);
    const models = new Map([...new Set(places.map(({ count }) => count))].map((n) => [n, shardModel(parts, n)]));
    const shards = await Promise.all(
      places.map((rows, lane) => {
        const model = models.get(rows.count) as ShardModel;
        return Shard.load(parts, { lane, threads: parts.threads }, { rows, arrays, model });
      }),
    );
    return new TrainingProgram(parts, arrays, shards);
  }

  private constructor({ weights, batch, objective }: ShardParts, arrays: BatchArrays, shards: readonly Shard[]) {
    this.batch = batch;
    this.inputs = arrays.inputs;
    this.targets = arrays.targets;
    this.sampleWeights = arrays.sampleWeights;
    this.sums = new Float32Array(objective.sumCount);
    this.#weights = weights;
    this.#shards = shards;
  }

  /**
   * Draws the masks and runs forward and backward pass.
   * @throws LearnError `loss-not-finite`; weights and statistics are then as before.
   */
  async run(random: ReadonlyMap<string, Random>): Promise<void> {
    this.#drawMasks(random);
    const [only, ...others] = this.#shards;
    if (only !== undefined && others.length === 0) await only.run();
    else await Promise.all(this.#shards.toReversed().map((shard) => shard.run()));
    this.#sum();
    if (!Number.isFinite(this.sums[0])) {
      throw new LearnError(
        "loss-not-finite",
        `The loss became ${this.sums[0]}. Lower the learning rate, clip the gradients, or look for NaN in the data.`,
      );
    }
    this.#weights.memory.sumGradients(this.#shards.length);
    this.#addScattered();
    this.#takeUpdates();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const shard of this.#shards) await shard[Symbol.asyncDispose]();
  }

  /** Draws for the batch as a whole, one mask after the other: which lane computes a sample changes nothing. */
  #drawMasks(random: ReadonlyMap<string, Random>): void {
    for (const [index, { name, rate }] of (this.#shards[0]?.masks ?? []).entries()) {
      const generator = random.get(name);
      for (const { masks } of this.#shards) {
        const values = masks[index]?.values;
        if (generator === undefined || values === undefined) continue;
        if (rate === undefined) fillNormal(generator, values);
        else generator.fillBernoulli(values, 1 - rate, 1 / (1 - rate));
      }
    }
  }

  #sum(): void {
    for (const i of this.sums.keys()) {
      let sum = 0;
      for (const shard of this.#shards) sum += shard.sums[i] ?? 0;
      this.sums[i] = sum;
    }
  }

  #addScattered(): void {
    for (const [index, { name }] of (this.#shards[0]?.scattered ?? []).entries()) {
      const gradient = this.#weights.gradient(name, 0).values.fill(0);
      for (const { scattered } of this.#shards) {
        const part = scattered[index];
        if (part !== undefined) addRows(gradient, part.rows, part.values);
      }
    }
  }

  /** A lane measures its own samples, as in every data-parallel training; what is kept is the lanes' weighted mean. */
  #takeUpdates(): void {
    for (const [index, { to }] of (this.#shards[0]?.updates ?? []).entries()) {
      for (const i of to.keys()) {
        let value = 0;
        for (const { updates, rows } of this.#shards) {
          value += ((updates[index]?.from[i] ?? 0) * rows.count) / this.batch;
        }
        to[i] = value;
      }
    }
  }
}
