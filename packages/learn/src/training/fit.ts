import { LearnError } from "../errors.ts";
import { CallbackList } from "./callbacks/callback-list.ts";
import type { Callback, Logs, TrainingControl } from "./callbacks/index.ts";
import { type DataArray, gatherRows } from "./data.ts";
import { read } from "./objective.ts";
import type { TrainingProgram } from "./program.ts";
import { type LabelledData, prepareSamples, type SampleSet, samplesBetween, withClassWeights } from "./samples.ts";
import type { HistoryValues, LearnerState } from "./state.ts";
import type { Trainee } from "./trainee.ts";

/** Options of a training; names and defaults are those of Keras' `fit`. */
export interface FitOptions {
  /** Default 1. */
  readonly epochs?: number;
  /** Default 32. */
  readonly batchSize?: number;
  /** Share of the samples, taken from the end, to validate on. */
  readonly validationSplit?: number;
  readonly validationData?: LabelledData;
  /** Weight of each sample in the loss, [samples]; by output where they differ. */
  readonly sampleWeight?: LabelledData["sampleWeight"];
  /** Weight of each class in the loss, for models with one output; a class left out has 1. */
  readonly classWeight?: Readonly<Record<number, number>>;
  /** Draws a new order of the samples each epoch; default true. */
  readonly shuffle?: boolean;
  readonly callbacks?: readonly Callback[];
  /** Ends the training after the current step; `learner.state()` of the last checkpoint goes on from there. */
  readonly signal?: { readonly aborted: boolean };
}

/** What a training was like. */
export interface History {
  /** Values by metric, one an epoch. */
  readonly epochs: HistoryValues;
  /** Why it ended before its last epoch, if it did. */
  readonly stopped: string | null;
  /** Where it stands at its end. */
  readonly state: LearnerState;
}

/** Reason of a training that its caller ended: no part of its state, for it goes on from there. */
const aborted = "aborted";

/** Updates between two sweeps over the optimizer's slots: counted by the optimizer, so a resumed training sweeps alike. */
const flushInterval = 64;

/** Takes the validation samples off the end, as Keras does: before any shuffling. */
const splitOff = (
  learner: Trainee,
  set: SampleSet,
  options: FitOptions,
): { readonly train: SampleSet; readonly validation: SampleSet | undefined } => {
  const { validationSplit, validationData } = options;
  if (validationData !== undefined) {
    return { train: set, validation: prepareSamples(learner.objective, validationData) };
  }
  if (!validationSplit) return { train: set, validation: undefined };
  const { samples } = set;
  const kept = Math.floor(samples * (1 - validationSplit));
  if (kept < 1 || kept === samples) {
    throw new LearnError(
      "split-invalid",
      `A validationSplit of ${validationSplit} leaves ${kept} of ${samples} samples to train on. Choose a share between 0 and 1 that leaves both parts some.`,
    );
  }
  return { train: samplesBetween(set, 0, kept), validation: samplesBetween(set, kept, samples) };
};

/** The loop of one training; its fields are exactly what a checkpoint holds. */
class Training {
  readonly #learner: Trainee;
  readonly #data: SampleSet;
  readonly #validation: SampleSet | undefined;
  readonly #options: FitOptions;
  readonly #samples: number;
  readonly #batch: number;
  readonly #callbacks: CallbackList;
  readonly #history: Record<string, number[]> = {};
  #epoch = 0;
  #step = 0;
  #seen = 0;
  #sums: number[];
  #stopped: string | null = null;

  constructor(learner: Trainee, data: LabelledData, options: FitOptions) {
    const { train, validation } = splitOff(learner, prepareSamples(learner.objective, data), options);
    this.#learner = learner;
    this.#data = withClassWeights(train, options.classWeight);
    this.#validation = validation;
    this.#options = options;
    this.#samples = train.samples;
    this.#batch = Math.min(options.batchSize ?? 32, this.#samples);
    this.#callbacks = new CallbackList(options.callbacks ?? []);
    this.#sums = this.#zeros();
    const from = learner.resumeFrom;
    learner.resumeFrom = undefined;
    if (from !== undefined) this.#resume(from);
  }

  #resume(from: LearnerState): void {
    const { position } = from;
    this.#epoch = position.epoch;
    this.#step = position.step;
    this.#seen = position.samples;
    this.#sums = [...position.sums];
    for (const [name, values] of Object.entries(from.history)) this.#history[name] = [...values];
    this.#stopped = from.stopped;
    this.#callbacks.restore(from);
  }

  async run(): Promise<History> {
    const epochs = this.#options.epochs ?? 1;
    const control = this.#control();
    await this.#callbacks.trainBegin(control);
    while (this.#epoch < epochs && this.#stopped === null) {
      if (this.#step === 0) await this.#callbacks.epochBegin({ epoch: this.#epoch + 1, epochs }, control);
      const finished = await this.#runEpoch(control);
      if (!finished) break;
      await this.#endEpoch(control, epochs);
    }
    const state = this.#state();
    if (this.#stopped !== aborted) this.#learner.optimizer.finish();
    this.#callbacks.trainEnd(control);
    return { epochs: this.#history, stopped: this.#stopped, state };
  }

  /** Order of the samples; drawn again from the remembered generator when a training goes on inside an epoch. */
  #order(): Uint32Array {
    const { shuffle } = this.#learner;
    this.#orderState = shuffle.state();
    if (this.#options.shuffle === false) return Uint32Array.from({ length: this.#samples }, (_, i) => i);
    return shuffle.permutation(this.#samples);
  }
  #orderState: LearnerState["position"]["shuffle"] | undefined;

  async #runEpoch(control: TrainingControl): Promise<boolean> {
    const order = this.#order();
    const steps = Math.ceil(this.#samples / this.#batch);
    while (this.#step < steps) {
      if (this.#options.signal?.aborted) {
        this.#stopped = aborted;
        return false;
      }
      const rows = order.subarray(this.#step * this.#batch, (this.#step + 1) * this.#batch);
      const batchLoss = await this.#runStep(await this.#learner.program(rows.length), rows, control);
      if (batchLoss === undefined) return false;
      const position = { epoch: this.#epoch + 1, step: this.#step, stepsPerEpoch: steps };
      const pending = this.#callbacks.stepEnd({ ...position, batchLoss, logs: this.#logs() }, control);
      if (pending !== undefined) await pending;
    }
    return true;
  }

  /** Makes a step and gives its batch's loss; undefined when the loss is not finite and a callback took that. */
  async #runStep(program: TrainingProgram, rows: Uint32Array, control: TrainingControl): Promise<number | undefined> {
    this.#fill(program, rows);
    try {
      await program.run(this.#learner.masks);
    } catch (error) {
      this.#takeNotFinite(error, control);
      return undefined;
    }
    const { optimizer, weights } = this.#learner;
    optimizer.step();
    weights.constrain();
    if (optimizer.iterations % flushInterval === 0) weights.flushTinySlots();
    this.#step += 1;
    this.#seen += rows.length;
    for (const i of this.#sums.keys()) this.#sums[i] = (this.#sums[i] ?? 0) + (program.sums[i] ?? 0);
    return (program.sums[0] ?? 0) / rows.length;
  }

  /** Hands a loss that is not finite to the callbacks, and ends the training. @throws When no callback takes it. */
  #takeNotFinite(error: unknown, control: TrainingControl): void {
    if (!(error instanceof LearnError) || error.code !== "loss-not-finite") throw error;
    const reason = `Epoch ${this.#epoch + 1}, step ${this.#step + 1}: ${error.message}`;
    if (!this.#callbacks.lossNotFinite(reason, control)) throw new LearnError(error.code, reason);
    this.#stopped ??= aborted;
  }

  #fill({ inputs, targets, sampleWeights }: TrainingProgram, rows: Uint32Array): void {
    const data = this.#data;
    for (const [index, input] of inputs.entries()) gatherRows(data.inputs[index] as DataArray, rows, input);
    for (const [index, target] of targets.entries()) gatherRows(data.targets[index] as DataArray, rows, target);
    for (const [index, weights] of sampleWeights.entries()) {
      const given = data.weights[index];
      if (given === undefined) weights.fill(1);
      else gatherRows(given, rows, weights);
    }
  }

  async #endEpoch(control: TrainingControl, epochs: number): Promise<void> {
    const logs: Record<string, number> = { ...this.#logs() };
    if (this.#validation !== undefined) {
      const values = await this.#learner.evaluateSamples(this.#validation);
      for (const [name, value] of Object.entries(values)) logs[`val_${name}`] = value;
    }
    const { learningRate } = this.#learner.optimizer;
    for (const [name, value] of Object.entries(logs)) (this.#history[name] ??= []).push(value);
    this.#epoch += 1;
    this.#step = 0;
    this.#seen = 0;
    this.#sums = this.#zeros();
    this.#orderState = this.#learner.shuffle.state();
    const report = { epoch: this.#epoch, epochs, logs, learningRate };
    await this.#callbacks.epochEnd(report, control);
  }

  #logs(): Logs {
    return read(this.#learner.objective, this.#sums, this.#seen);
  }

  #zeros(): number[] {
    return Array.from({ length: this.#learner.objective.sumCount }, () => 0);
  }

  #control(): TrainingControl {
    const { optimizer, weights } = this.#learner;
    return {
      get learningRate() {
        return optimizer.learningRate;
      },
      set learningRate(rate: number) {
        optimizer.learningRate = rate;
      },
      stop: (reason) => {
        this.#stopped = reason;
      },
      state: () => this.#state(),
      restoreWeights: (saved) => {
        for (const [name, values] of Object.entries(saved)) weights.set(name, values);
      },
    };
  }

  #state(): LearnerState {
    const { weights, optimizer, masks, shuffle } = this.#learner;
    const slots: Record<string, Float32Array> = {};
    for (const name of weights.names()) {
      for (let slot = 0; slot < weights.slots; slot++) {
        const values = weights.slot(name, slot);
        if (values !== undefined) slots[`${name}#${slot}`] = values;
      }
    }
    return {
      weights: Object.fromEntries(weights.names().map((name) => [name, weights.get(name).values])),
      slots,
      optimizer: optimizer.state(),
      position: {
        epoch: this.#epoch,
        step: this.#step,
        shuffle: this.#orderState ?? shuffle.state(),
        samples: this.#seen,
        sums: [...this.#sums],
      },
      masks: Object.fromEntries([...masks].map(([name, random]) => [name, random.state()])),
      ...this.#callbacks.state(),
      stopped: this.#stopped === aborted ? null : this.#stopped,
      history: Object.fromEntries(Object.entries(this.#history).map(([name, values]) => [name, [...values]])),
    };
  }
}

/** Runs a training to its end, or until it is stopped. */
export const fitModel = async (learner: Trainee, data: LabelledData, options: FitOptions): Promise<History> =>
  new Training(learner, data, options).run();
