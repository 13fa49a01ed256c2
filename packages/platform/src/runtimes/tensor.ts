import type { TensorDatatype } from "@modelyard/contracts";

/** Elements of a tensor, row-major. BOOL is one byte an element, BYTES is text. */
export type TensorElements = Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array | readonly string[];

/** Values with their shape. Who gets a tensor does not change it. */
export interface Tensor {
  readonly datatype: TensorDatatype;
  readonly shape: readonly number[];
  readonly data: TensorElements;
}

/** Number of elements of a shape. */
export const elementsOf = (shape: readonly number[]): number => {
  let elements = 1;
  for (const size of shape) elements *= size;
  return elements;
};

/** Fresh elements, all zero, false or empty. */
export const zeros = (datatype: TensorDatatype, length: number): TensorElements => {
  switch (datatype) {
    case "FP32":
      return new Float32Array(length);
    case "FP64":
      return new Float64Array(length);
    case "INT32":
      return new Int32Array(length);
    case "INT64":
      return new BigInt64Array(length);
    case "BOOL":
    case "UINT8":
      return new Uint8Array(length);
    case "BYTES":
      return Array.from({ length }, () => "");
  }
};

/** A part of the elements, as a view wherever there is one. */
const partOf = (data: TensorElements, start: number, end: number): TensorElements =>
  Array.isArray(data)
    ? data.slice(start, end)
    : (data as Exclude<TensorElements, readonly string[]>).subarray(start, end);

/**
 * Joins tensors of one datatype along axis 0; all other axes must be equal.
 * @param into Elements to write into when they are long enough and numeric, so that a hot loop allocates nothing.
 */
export const concatenate = (tensors: readonly Tensor[], into?: TensorElements): Tensor => {
  const [first] = tensors;
  if (first === undefined) throw new RangeError("there is nothing to join");
  let rows = 0;
  let length = 0;
  for (const tensor of tensors) {
    rows += tensor.shape[0] ?? 1;
    length += tensor.data.length;
  }
  const shape = [rows, ...first.shape.slice(1)];
  if (first.datatype === "BYTES") {
    return { datatype: "BYTES", shape, data: tensors.flatMap((tensor) => tensor.data as readonly string[]) };
  }
  const room = into !== undefined && into.length >= length ? into : zeros(first.datatype, length);
  const data = partOf(room, 0, length) as Float32Array;
  let at = 0;
  for (const tensor of tensors) {
    data.set(tensor.data as Float32Array, at);
    at += tensor.data.length;
  }
  return { datatype: first.datatype, shape, data };
};

/** Cuts a tensor along axis 0 into parts of the given numbers of rows; numeric parts are views. */
export const splitRows = (tensor: Tensor, rows: readonly number[]): Tensor[] => {
  const perRow = elementsOf(tensor.shape.slice(1));
  let at = 0;
  return rows.map((count) => {
    const data = partOf(tensor.data, at, at + count * perRow);
    at += count * perRow;
    return { datatype: tensor.datatype, shape: [count, ...tensor.shape.slice(1)], data };
  });
};
