import { LearnError } from "../errors.ts";
import { encodeModel } from "../onnx/encode.ts";
import { elementCount } from "../onnx/tensor.ts";
import type { Random } from "../random.ts";
import type { Binding, Executor, Session, TensorData } from "./executor.ts";
import { type Objective, portNames, targetIsClasses, trainingGraph } from "./graphs.ts";
import type { WeightStore } from "./weights.ts";

interface Mask {
  readonly name: string;
  readonly values: Float32Array;
  readonly rate: number;
}

/** Shapes of one sample's input and output. */
export interface SampleShapes {
  readonly input: readonly number[];
  readonly output: readonly number[];
}

/** Shape of one sample's target. */
export const targetShape = (objective: Objective, output: readonly number[]): readonly number[] =>
  targetIsClasses(objective.loss) ? output.slice(0, -1) : output;

/**
 * The training graph of one batch size, loaded and bound: buffers that the caller fills, and a run that leaves the
 * gradients in the weights' memory. It knows nothing of epochs and optimizers.
 */
export class TrainingProgram implements AsyncDisposable {
  readonly batch: number;
  readonly x: Float32Array;
  readonly target: Float32Array | Int32Array;
  readonly sampleWeight: Float32Array;
  /** Sum of the losses, then of each metric. */
  readonly sums: Float32Array;
  readonly masks: readonly Mask[];
  readonly #session: Session;
  readonly #binding: Binding;
  readonly #updates: readonly { readonly from: Float32Array; readonly to: Float32Array }[];

  static async load(
    objective: Objective,
    parts: { readonly executor: Executor; readonly weights: WeightStore; readonly shapes: SampleShapes },
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
      readonly shapes: SampleShapes;
      readonly batch: number;
    },
  ) {
    const { objective, built, weights, shapes, batch } = parts;
    const classes = targetIsClasses(objective.loss);
    const target = [batch, ...targetShape(objective, shapes.output)];
    this.#session = session;
    this.batch = batch;
    this.x = new Float32Array(batch * elementCount(shapes.input));
    this.target = classes ? new Int32Array(elementCount(target)) : new Float32Array(elementCount(target));
    this.sampleWeight = new Float32Array(batch).fill(1);
    this.sums = new Float32Array(1 + objective.metrics.length);
    this.masks = built.masks.map(({ name, shape, rate }) => ({
      name,
      rate,
      values: new Float32Array(elementCount(shape.map(Number))),
    }));
    const float = (shape: readonly number[], values: Float32Array): TensorData => ({ dtype: "float32", shape, values });
    const updates = built.updates.map((name) => {
      const to = weights.inside(name);
      return { name, shape: to.shape, from: new Float32Array(to.values.length), to: to.values };
    });
    const inputs: Record<string, TensorData> = {
      [`input/${objective.model.inputs[0] ?? ""}`]: float([batch, ...shapes.input], this.x),
      [portNames.target]: { dtype: classes ? "int32" : "float32", shape: target, values: this.target },
      [portNames.sampleWeight]: float([batch], this.sampleWeight),
    };
    const used = new Set(built.graph.inputs.map(({ name }) => name));
    for (const name of weights.names()) {
      const { shape, values } = weights.inside(name);
      if (used.has(name)) inputs[name] = float(shape, values);
    }
    for (const [index, { name, shape }] of built.masks.entries()) {
      inputs[name] = float(shape.map(Number), this.masks[index]?.values ?? new Float32Array());
    }
    const outputs: Record<string, TensorData> = { [portNames.sums]: float([this.sums.length], this.sums) };
    for (const name of built.gradients) {
      const { shape, values } = weights.gradient(name);
      outputs[`gradient/${name}`] = float(shape, values);
    }
    for (const { name, shape, from } of updates) outputs[`update/${name}`] = float(shape, from);
    this.#updates = updates;
    this.#binding = session.bind(inputs, outputs);
  }

  /**
   * Draws the masks and runs forward and backward pass.
   * @throws LearnError `loss-not-finite`; weights and statistics are then as before.
   */
  async run(random: ReadonlyMap<string, Random>): Promise<void> {
    for (const { name, values, rate } of this.masks) random.get(name)?.fillBernoulli(values, 1 - rate, 1 / (1 - rate));
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
