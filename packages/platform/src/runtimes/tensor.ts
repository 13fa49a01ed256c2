import type { TensorDatatype } from "@modelyard/contracts";

/** Numeric elements of a tensor, row-major. */
export type NumericElements =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array;

/** Elements of a tensor. BOOL is one byte an element, FP16 and BF16 their 16 bits, BYTES is text. */
export type TensorElements = NumericElements | readonly string[];

/** Values with their shape. Who gets a tensor does not change it. */
export interface Tensor {
  readonly datatype: TensorDatatype;
  readonly shape: readonly number[];
  readonly data: TensorElements;
}

/** Datatypes whose elements have a fixed size. */
export type NumericDatatype = Exclude<TensorDatatype, "BYTES">;

/** The array that holds elements of a datatype. */
const arrays = {
  BOOL: Uint8Array,
  UINT8: Uint8Array,
  UINT16: Uint16Array,
  UINT32: Uint32Array,
  UINT64: BigUint64Array,
  INT8: Int8Array,
  INT16: Int16Array,
  INT32: Int32Array,
  INT64: BigInt64Array,
  FP16: Uint16Array,
  BF16: Uint16Array,
  FP32: Float32Array,
  FP64: Float64Array,
} as const satisfies Record<NumericDatatype, unknown>;

/** Number of elements of a shape. */
export const elementsOf = (shape: readonly number[]): number => {
  let elements = 1;
  for (const size of shape) elements *= size;
  return elements;
};

/** Bytes that one element takes on the wire. */
export const bytesPerElement = (datatype: NumericDatatype): number => arrays[datatype].BYTES_PER_ELEMENT;

/** Fresh elements, all zero, false or empty. */
export const zeros = (datatype: TensorDatatype, length: number): TensorElements =>
  datatype === "BYTES" ? Array.from({ length }, () => "") : new arrays[datatype](length);

/** Whether elements are texts. */
export const isTexts = (data: TensorElements): data is readonly string[] => Array.isArray(data);

/** A part of the elements, as a view wherever there is one. */
const partOf = (data: TensorElements, start: number, end: number): TensorElements =>
  isTexts(data) ? data.slice(start, end) : data.subarray(start, end);

/**
 * Elements that lie in bytes, little-endian: a view where the bytes are aligned, otherwise one copy.
 * @param bytes As many as the elements take.
 */
export const elementsIn = (datatype: NumericDatatype, bytes: Uint8Array): NumericElements => {
  const array = arrays[datatype];
  const width = array.BYTES_PER_ELEMENT;
  if (bytes.byteOffset % width === 0)
    return new array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength / width);
  const copy = new Uint8Array(bytes);
  return new array(copy.buffer, 0, copy.byteLength / width);
};

/** The bytes of numeric elements, little-endian, without a copy. */
export const bytesOf = (data: NumericElements): Uint8Array =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

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
