import { LearnError } from "../errors.ts";
import { encodeModel } from "../onnx/encode.ts";
import { elementCount } from "../onnx/tensor.ts";
import type { Random } from "../random.ts";
import type { Binding, Executor, Session, TensorData } from "./executor.ts";
import { portNames, trainingGraph } from "./graphs.ts";
import type { Objective } from "./objective.ts";
import type { WeightStore } from "./weights.ts";

interface Mask {
  readonly name: string;
  readonly values: Float32Array;
  readonly rate: number | undefined;
}

const fillNormal = (random: Random, target: Float32Array): void => {
  for (let i = 0; i < target.length; i++) target[i] = random.normal();
};

const float = (shape: readonly number[], values: Float32Array): TensorData => ({ dtype: "float32", shape, values });

const inputPorts = ({ model }: Objective, batch: number) =>
  model.inputs.map((name) => {
    const sample = model.layers.find((layer) => layer.name === name)?.outputShape ?? [];
    const shape = [batch, ...sample];
    const values = new Float32Array(elementCount(shape));
    return { name: portNames.input(name), values, data: float(shape, values) };
  });

const targetPorts = ({ outputs }: Objective, batch: number) =>
  outputs.map(({ output, classes, targetShape }) => {
    const shape = [batch, ...targetShape];
    const target: TensorData = classes
      ? { dtype: "int32", shape, values: new Int32Array(elementCount(shape)) }
      : float(shape, new Float32Array(elementCount(shape)));
    return { output, target, weight: float([batch], new Float32Array(batch).fill(1)) };
  });

/**
 * The training graph of one batch size, loaded and bound: buffers that the caller fills, and a run that leaves the
 * gradients in the weights' memory. It knows nothing of epochs and optimizers.
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
  readonly masks: readonly Mask[];
  readonly #session: Session;
  readonly #binding: Binding;
  readonly #updates: readonly { readonly from: Float32Array; readonly to: Float32Array }[];

  static async load(
    objective: Objective,
    parts: { readonly executor: Executor; readonly weights: WeightStore },
    batch: number,
  ): Promise<TrainingProgram> {
    const built = trainingGraph(objective, batch);
    const session = await parts.executor.load(encodeModel(built.graph));
    return new TrainingProgram(session, { objective, built, batch, ...parts });
  }

  private constructor(
    session: Session,
    parts: {
      readonly objective: Objective;
      readonly built: ReturnType<typeof trainingGraph>;
      readonly weights: WeightStore;
      readonly batch: number;
    },
  ) {
    const { objective, built, weights, batch } = parts;
    const inputs = inputPorts(objective, batch);
    const targets = targetPorts(objective, batch);
    this.#session = session;
    this.batch = batch;
    this.inputs = inputs.map(({ values }) => values);
    this.targets = targets.map(({ target }) => target.values as Float32Array | Int32Array);
    this.sampleWeights = targets.map(({ weight }) => weight.values as Float32Array);
    this.sums = new Float32Array(objective.sumCount);
    this.masks = built.masks.map(({ name, shape, rate }) => ({
      name,
      rate,
      values: new Float32Array(elementCount(shape.map(Number))),
    }));
    const updates = built.updates.map((name) => {
      const to = weights.inside(name);
      return { name, shape: to.shape, from: new Float32Array(to.values.length), to: to.values };
    });
    const feeds: Record<string, TensorData> = Object.fromEntries(inputs.map((port) => [port.name, port.data]));
    for (const { output, target, weight } of targets) {
      feeds[portNames.target(output)] = target;
      feeds[portNames.sampleWeight(output)] = weight;
    }
    const used = new Set(built.graph.inputs.map(({ name }) => name));
    for (const name of weights.names()) {
      const { shape, values } = weights.inside(name);
      if (used.has(name)) feeds[name] = float(shape, values);
    }
    for (const [index, { name, shape }] of built.masks.entries()) {
      feeds[name] = float(shape.map(Number), this.masks[index]?.values ?? new Float32Array());
    }
    const outputs: Record<string, TensorData> = { [portNames.sums]: float([this.sums.length], this.sums) };
    for (const name of built.gradients) {
      const { shape, values } = weights.gradient(name);
      outputs[`gradient/${name}`] = float(shape, values);
    }
    for (const { name, shape, from } of updates) outputs[`update/${name}`] = float(shape, from);
    this.#updates = updates;
    this.#binding = session.bind(feeds, outputs);
  }

  /**
   * Draws the masks and runs forward and backward pass.
   * @throws LearnError `loss-not-finite`; weights and statistics are then as before.
   */
  async run(random: ReadonlyMap<string, Random>): Promise<void> {
    for (const { name, values, rate } of this.masks) {
      const generator = random.get(name);
      if (generator === undefined) continue;
      if (rate === undefined) fillNormal(generator, values);
      else generator.fillBernoulli(values, 1 - rate, 1 / (1 - rate));
    }
    await this.#binding.run();
    if (!Number.isFinite(this.sums[0])) {
      throw new LearnError(
        "loss-not-finite",
        `The loss became ${this.sums[0]}. Lower the learning rate, clip the gradients, or look for NaN in the data.`,
      );
    }
    for (const { from, to } of this.#updates) to.set(from);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session[Symbol.asyncDispose]();
  }
}
