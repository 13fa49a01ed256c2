import type { Augmentation, BatchAugmentation } from "../preprocessing/augment/index.ts";
import type { BatchSource } from "./batch-source.ts";

/** Options of {@link augmentedSource}. */
export interface AugmentedSourceOptions {
  /** Shape of one sample of the input that is changed. */
  readonly shape: readonly number[];
  /** Place of that input among the model's inputs; 0 by default. */
  readonly input?: number;
  /** Changes to each sample, in their order. */
  readonly samples?: readonly Augmentation[];
  /** Changes to whole batches, after those to samples. */
  readonly batches?: readonly BatchAugmentation[];
}

/** A source whose samples are changed anew each time they are read, each sample by a generator of its own. */
export const augmentedSource = (source: BatchSource, options: AugmentedSourceOptions): BatchSource => {
  const { shape, input = 0, samples = [], batches = [] } = options;
  return {
    samples: source.samples,
    prefetch: source.prefetch ?? 0,
    read: async (request, into) => {
      await source.read(request, into);
      const { rows, random } = request;
      const values = into.inputs[input] ?? new Float32Array();
      const width = values.length / rows.length;
      for (const row of rows.keys()) {
        const sample = values.subarray(row * width, (row + 1) * width);
        const own = random.split(`sample ${row}`);
        for (const { apply } of samples) apply(sample, shape, own);
      }
      for (const { applyToBatch } of batches) applyToBatch({ ...into, samples: rows.length }, random.split("batch"));
    },
  };
};
