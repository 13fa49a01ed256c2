import { LearnError } from "../errors.ts";
import type { LossConfig } from "../losses/index.ts";
import { elementCount } from "../onnx/tensor.ts";

/** Element arrays that training data may come in; whole numbers are turned into float32 batch by batch. */
export type DataValues = Float32Array | Float64Array | Uint8Array | Int32Array | number[];

/** Training data: samples in rows, row-major. */
export interface DataArray {
  /** [samples, …]. */
  readonly shape: readonly number[];
  readonly values: DataValues;
}

/** Number of samples of an array. @throws LearnError `shape-mismatch` when shape and values disagree. */
export const sampleCount = (data: DataArray, what: string): number => {
  if (elementCount(data.shape) !== data.values.length) {
    throw new LearnError(
      "shape-mismatch",
      `${what} has shape [${data.shape.join(", ")}], which needs ${elementCount(data.shape)} values, but ${data.values.length} came.`,
    );
  }
  return data.shape[0] ?? 0;
};

/** Refuses data whose samples do not have the model's shape. */
export const checkSamples = (data: DataArray, expected: readonly number[], what: string): void => {
  const shape = data.shape.slice(1);
  const same = elementCount(shape) === elementCount(expected) && shape.at(-1) === (expected.at(-1) ?? shape.at(-1));
  if (shape.join() === expected.join() || (same && shape.length === expected.length)) return;
  // Labels [samples, 1] and [samples] are the same, as in Keras.
  if (elementCount(shape) === 1 && elementCount(expected) === 1) return;
  throw new LearnError(
    "shape-mismatch",
    `${what} has samples of shape [${shape.join(", ")}], but the model expects [${expected.join(", ")}]. Reshape the data, or change the model's Input or last layer.`,
  );
};

/** Elements of a row from which copying it as a whole is faster than element by element. */
const widthOfCopies = 64;

/** Copies rows into the front of a batch buffer. */
export const gatherRows = (data: DataArray, rows: ArrayLike<number>, target: Float32Array | Int32Array): void => {
  const width = elementCount(data.shape.slice(1));
  const { values } = data;
  const copies = values instanceof Float32Array && target instanceof Float32Array && width >= widthOfCopies;
  for (let i = 0; i < rows.length; i++) {
    const from = (rows[i] as number) * width;
    const to = i * width;
    if (copies) target.set(values.subarray(from, from + width), to);
    else for (let k = 0; k < width; k++) target[to + k] = values[from + k] as number;
  }
};

/** Refuses class numbers outside of the model's classes, which would train on nothing; an ignored class may be any. */
export const checkClasses = (
  data: DataArray,
  { classes, loss }: { readonly classes: number; readonly loss: LossConfig },
): void => {
  const { values } = data;
  const ignored = "ignoreClass" in loss ? loss.ignoreClass : undefined;
  for (let row = 0; row < values.length; row++) {
    const label = values[row] as number;
    if ((Number.isInteger(label) && label >= 0 && label < classes) || label === ignored) continue;
    throw new LearnError(
      "shape-mismatch",
      `The label of row ${row} is ${label}, but the model has the classes 0 to ${classes - 1}. Change the label, or give the last layer more units.`,
    );
  }
};
