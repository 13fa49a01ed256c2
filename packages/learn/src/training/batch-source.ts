import type { Random } from "../random.ts";
import { type DataArray, gatherRows } from "./data.ts";
import type { SampleSet } from "./samples.ts";

/** The arrays of a batch that a source fills: [samples, …] each. */
export interface BatchArrays {
  /** By input of the model. */
  readonly inputs: readonly Float32Array[];
  /** By output that has a loss: values, or class numbers where the loss takes them. */
  readonly targets: readonly (Float32Array | Int32Array)[];
  /** By output that has a loss: one weight a sample, 1 unless the source says otherwise. */
  readonly sampleWeights: readonly Float32Array[];
}

/** Which samples a batch is to hold. */
export interface BatchRequest {
  /** Numbers of the samples, each from 0 to `samples` − 1, in the order of the batch. */
  readonly rows: Uint32Array;
  /** Generator of this batch: a training that goes on from a state draws the same numbers again. */
  readonly random: Random;
}

/**
 * Gives the samples of a training batch by batch: for data that is larger than memory, read elsewhere, or made on the
 * way. Samples are asked for by number, so that the training shuffles, and goes on exactly, without the source's help.
 */
export interface BatchSource {
  /** Samples of an epoch. */
  readonly samples: number;
  /** Batches that may be read ahead while the training computes; 0 by default. Their number bounds the memory. */
  readonly prefetch?: number;
  /** Fills the arrays of a batch; may take its time when it reads elsewhere. */
  read(request: BatchRequest, into: BatchArrays): void | Promise<void>;
}

/** Whether training data is a source instead of arrays. */
export const isBatchSource = (value: object): value is BatchSource =>
  typeof (value as Partial<BatchSource>).read === "function";

/** Arrays in memory as a source. */
export const arraySource = (set: SampleSet): BatchSource => ({
  samples: set.samples,
  read: ({ rows }, { inputs, targets, sampleWeights }) => {
    for (const [index, input] of inputs.entries()) gatherRows(set.inputs[index] as DataArray, rows, input);
    for (const [index, target] of targets.entries()) gatherRows(set.targets[index] as DataArray, rows, target);
    for (const [index, weights] of sampleWeights.entries()) {
      const given = set.weights[index];
      if (given === undefined) weights.fill(1);
      else gatherRows(given, rows, weights);
    }
  },
});
