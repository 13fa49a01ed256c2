import { LearnError } from "../errors.ts";
import { BatchFeed } from "./batch-feed.ts";
import { arraySource, type BatchRequest, type BatchSource, isBatchSource } from "./batch-source.ts";
import { CallbackList } from "./callbacks/callback-list.ts";
import type { Callback, Logs, TrainingControl } from "./callbacks/index.ts";
import { read } from "./objective.ts";
import { batchArrays, type TrainingProgram } from "./program.ts";
import { type LabelledData, prepareSamples, samplesBetween, withClassWeights } from "./samples.ts";
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
  readonly validationData?: LabelledData | BatchSource;
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

interface Sources {
  readonly train: BatchSource;
  readonly validation: BatchSource | undefined;
}

/** Refuses numbers that no training can have. */
const checkNumbers = ({ epochs = 1, batchSize = 32, validationSplit = 0 }: FitOptions): void => {
  const wrong = (name: string, value: number, wanted: string): LearnError =>
    new LearnError("invalid-input", `${name} is ${value}, but must be ${wanted}.`);
  if (!Number.isInteger(epochs) || epochs < 0) throw wrong("epochs", epochs, "a whole number from 0 on");
  if (!Number.isInteger(batchSize) || batchSize < 1) throw wrong("batchSize", batchSize, "a whole number from 1 on");
  if (validationSplit >= 0 && validationSplit < 1) return;
  throw wrong("validationSplit", validationSplit, "a share from 0 to below 1");
};

/** What needs arrays, and cannot be done with a source. */
const checkSourceOptions = ({ validationSplit, classWeight, sampleWeight }: FitOptions): void => {
  if (!validationSplit && classWeight === undefined && sampleWeight === undefined) return;
  throw new LearnError(
    "invalid-input",
    "validationSplit, classWeight and sampleWeight need arrays. Let the source give the weights, and give validationData.",
  );
};

/** The data to train and to validate on; validation samples are taken off the end, as Keras does, before shuffling. */
const sourcesOf = (learner: Trainee, data: LabelledData | BatchSource, options: FitOptions): Sources => {
  const { validationSplit, validationData } = options;
  const sourceOf = (given: LabelledData | BatchSource): BatchSource =>
    isBatchSource(given) ? given : arraySource(prepareSamples(learner.objective, given));
  const validation = validationData && sourceOf(validationData);
  if (isBatchSource(data)) {
    checkSourceOptions(options);
    if (data.samples < 1) throw new LearnError("invalid-input", "The source has no samples.");
    return { train: data, validation };
  }
  const set = prepareSamples(learner.objective, data);
  const { samples } = set;
  const share = validation === undefined ? (validationSplit ?? 0) : 0;
  const kept = Math.floor(samples * (1 - share));
  if (share !== 0 && (kept < 1 || kept === samples)) {
    throw new LearnError(
      "split-invalid",
      `A validationSplit of ${share} leaves ${kept} of ${samples} samples to train on. Choose a share between 0 and 1 that leaves both parts some.`,
    );
  }
  const train = arraySource(withClassWeights(samplesBetween(set, 0, kept), options.classWeight));
  if (share === 0) return { train, validation };
  return { train, validation: arraySource(samplesBetween(set, kept, samples)) };
};

/** The loop of one training; its fields are exactly what a checkpoint holds. */
class Training {
  readonly #learner: Trainee;
  readonly #source: BatchSource;
  readonly #validation: BatchSource | undefined;
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

  constructor(learner: Trainee, data: LabelledData | BatchSource, options: FitOptions) {
    checkNumbers(options);
    const { train, validation } = sourcesOf(learner, data, options);
    this.#learner = learner;
    this.#source = train;
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
    await using feed = this.#feed(order, steps);
    while (this.#step < steps) {
      if (this.#options.signal?.aborted) {
        this.#stopped = aborted;
        return false;
      }
      const program = await this.#learner.program(Math.min(this.#batch, this.#samples - this.#step * this.#batch));
      const filling = feed.fill(this.#step, program);
      if (filling !== undefined) await filling;
      const batchLoss = await this.#runStep(program, control);
      if (batchLoss === undefined) return false;
      const position = { epoch: this.#epoch + 1, step: this.#step, stepsPerEpoch: steps };
      const pending = this.#callbacks.stepEnd({ ...position, batchLoss, logs: this.#logs() }, control);
      if (pending !== undefined) await pending;
    }
    return true;
  }

  /** Makes a step and gives its batch's loss; undefined when the loss is not finite and a callback took that. */
  async #runStep(program: TrainingProgram, control: TrainingControl): Promise<number | undefined> {
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
    this.#seen += program.batch;
    for (const i of this.#sums.keys()) this.#sums[i] = (this.#sums[i] ?? 0) + (program.sums[i] ?? 0);
    return (program.sums[0] ?? 0) / program.batch;
  }

  /** Hands a loss that is not finite to the callbacks, and ends the training. @throws When no callback takes it. */
  #takeNotFinite(error: unknown, control: TrainingControl): void {
    if (!(error instanceof LearnError) || error.code !== "loss-not-finite") throw error;
    const reason = `Epoch ${this.#epoch + 1}, step ${this.#step + 1}: ${error.message}`;
    if (!this.#callbacks.lossNotFinite(reason, control)) throw new LearnError(error.code, reason);
    this.#stopped ??= aborted;
  }

  /** Brings the batches of the current epoch. */
  #feed(order: Uint32Array, steps: number): BatchFeed {
    const { objective, batches } = this.#learner;
    const [batch, epoch] = [this.#batch, this.#epoch];
    const request = (step: number): BatchRequest => ({
      rows: order.subarray(step * batch, (step + 1) * batch),
      random: batches.split(`epoch ${epoch}, step ${step}`),
    });
    return new BatchFeed(this.#source, {
      steps,
      request,
      arrays: (samples) => batchArrays(objective, samples, false),
    });
  }

  async #endEpoch(control: TrainingControl, epochs: number): Promise<void> {
    const logs: Record<string, number> = { ...this.#logs() };
    if (this.#validation !== undefined) {
      const values = await this.#learner.evaluateSource(this.#validation);
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
export const fitModel = async (
  learner: Trainee,
  data: LabelledData | BatchSource,
  options: FitOptions,
): Promise<History> => new Training(learner, data, options).run();
