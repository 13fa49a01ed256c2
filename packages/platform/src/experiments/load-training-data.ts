import type { SplitName } from "@modelyard/contracts";
import { applyImageSteps, type DataArray, LearnError } from "@modelyard/learn";
import type { DatasetReader } from "../datasets/index.ts";
import type { TrainingPlan } from "./plan-training.ts";
import type { SliceColumn } from "./slice-rows.ts";

/** Samples and targets of one part of the split. */
export interface TrainingData {
  readonly x: DataArray;
  readonly y: DataArray;
  readonly rows: number;
}

type Values = Uint8Array | Float32Array;

const takeRows = <V extends Values>(values: ArrayLike<number>, rows: Uint32Array, out: V): V => {
  const width = out.length / Math.max(rows.length, 1);
  for (const [i, row] of rows.entries()) {
    const from = row * width;
    for (let k = 0; k < width; k++) out[i * width + k] = values[from + k] as number;
  }
  return out;
};

/** All rows in order need no copy: the stored pixels are what is trained on. */
const isPrefix = (rows: Uint32Array): boolean => rows.length === 0 || rows[rows.length - 1] === rows.length - 1;

const images = async (reader: DatasetReader, plan: TrainingPlan, rows: Uint32Array): Promise<DataArray> => {
  const { imageSteps, rawShape } = plan;
  const shape = [rows.length, ...rawShape];
  const width = rawShape.reduce((product, size) => product * size, 1);
  const column = await reader.column(plan.features[0]?.name ?? "");
  if (column.kind === "image" && imageSteps.length === 0) {
    if (isPrefix(rows)) return { shape, values: column.data.subarray(0, rows.length * width) };
    return { shape, values: takeRows(column.data, rows, new Uint8Array(rows.length * width)) };
  }
  if (column.kind !== "image" && column.kind !== "encoded-image") throw new TypeError("the plan is not one for images");
  const values = new Uint8Array(rows.length * width);
  for (const [i, row] of rows.entries()) {
    values.set(applyImageSteps(await column.pixels(row), imageSteps).data, i * width);
  }
  return { shape, values };
};

const table = async (reader: DatasetReader, plan: TrainingPlan, rows: Uint32Array): Promise<DataArray> => {
  const width = plan.features.length;
  const values = new Float32Array(rows.length * width);
  for (const [at, { name }] of plan.features.entries()) {
    const column = await reader.column(name);
    if (column.kind !== "number" && column.kind !== "category") throw new TypeError("the plan is not one for tables");
    const missing = column.kind === "category" ? -1 : Number.NaN;
    for (const [i, row] of rows.entries()) {
      const value = column.data[row] as number;
      values[i * width + at] = value === missing ? Number.NaN : value;
    }
  }
  return { shape: [rows.length, width], values };
};

const tensors = async (reader: DatasetReader, plan: TrainingPlan, rows: Uint32Array): Promise<DataArray> => {
  const column = await reader.column(plan.features[0]?.name ?? "");
  if (column.kind !== "tensor") throw new TypeError("the plan is not one for tensors");
  const width = column.shape.reduce((product, size) => product * size, 1);
  const { data } = column;
  const numbers = data instanceof BigInt64Array ? Float64Array.from(data, Number) : data;
  const values = takeRows(numbers, rows, new Float32Array(rows.length * width));
  return { shape: [rows.length, ...plan.rawShape], values };
};

const targets = async (reader: DatasetReader, plan: TrainingPlan, rows: Uint32Array): Promise<DataArray> => {
  const column = await reader.column(plan.target.name);
  if (column.kind !== "category" && column.kind !== "number") throw new TypeError("the plan's target is no target");
  const values = new Float32Array(rows.length);
  for (const [i, row] of rows.entries()) {
    const value = column.data[row] as number;
    if (Number.isNaN(value) || (column.kind === "category" && value < 0)) {
      throw new LearnError(
        "shape-mismatch",
        `Row ${row} has no value in the target column "${plan.target.name}". Remove such rows or fill them before the import.`,
      );
    }
    values[i] = value;
  }
  return { shape: [rows.length], values };
};

/** The values of the columns that the evaluation is sliced by, in one part of the split. */
export const loadSlices = async (
  reader: DatasetReader,
  plan: TrainingPlan,
  split: SplitName,
): Promise<readonly SliceColumn[]> => {
  const rows = reader.rowsOf(split);
  const load = async ({ name, categories }: TrainingPlan["slices"][number]): Promise<SliceColumn> => {
    const column = await reader.column(name);
    if (column.kind !== "category") throw new TypeError("the plan's slice is no category");
    return { column: name, categories, values: Int32Array.from(rows, (row) => column.data[row] as number) };
  };
  return Promise.all(plan.slices.map(load));
};

/** Loads one part of the split as the plan wants it: raw inputs, so that training sees what serving will see. */
export const loadTrainingData = async (
  reader: DatasetReader,
  plan: TrainingPlan,
  split: SplitName,
): Promise<TrainingData> => {
  const rows = reader.rowsOf(split);
  const load = { image: images, row: table, tensor: tensors }[plan.input.kind];
  return { x: await load(reader, plan, rows), y: await targets(reader, plan, rows), rows: rows.length };
};
