import { LearnError } from "../errors.ts";

/** Element types of the tensors that graphs built or read here may hold. */
export type DataType = "float32" | "float64" | "int32" | "int64" | "uint8" | "int8" | "bool";

/** The array behind a tensor; `bool` is stored as one byte an element. */
export type TensorValues = Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array | Int8Array;

/** A constant tensor: row-major values with their shape. */
export interface Tensor {
  readonly dtype: DataType;
  readonly shape: readonly number[];
  readonly values: TensorValues;
}

/** A dimension: its length, or the name of a length that is only known when the graph runs. */
export type Dimension = number | string;

/** Element type and shape of a value inside a graph. */
export interface TensorType {
  readonly dtype: DataType;
  readonly shape: readonly Dimension[];
}

const arrayOf = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  int8: Int8Array,
  bool: Uint8Array,
} as const;

/** Bytes one element of a type takes. */
export const bytesPerElement = (dtype: DataType): number => arrayOf[dtype].BYTES_PER_ELEMENT;

/** Number of elements of a shape whose dimensions are all known. */
export const elementCount = (shape: readonly number[]): number => shape.reduce((count, length) => count * length, 1);

/** Makes a tensor from plain numbers. */
export const tensor = (
  dtype: DataType,
  shape: readonly number[],
  values: ArrayLike<number> & Iterable<number>,
): Tensor => {
  if (values.length !== elementCount(shape)) {
    throw new LearnError(
      "shape-mismatch",
      `A tensor of shape [${shape.join(", ")}] holds ${elementCount(shape)} values, but ${values.length} came.`,
    );
  }
  return { dtype, shape, values: valuesOf(dtype, values) };
};

const valuesOf = (dtype: DataType, values: Iterable<number>): TensorValues =>
  dtype === "int64" ? BigInt64Array.from([...values].map((value) => BigInt(value))) : arrayOf[dtype].from(values);

/** A tensor without dimensions. */
export const scalar = (value: number, dtype: DataType = "float32"): Tensor => tensor(dtype, [], [value]);

/** A one-dimensional int64 tensor, the form in which ONNX takes shapes and axes. */
export const int64s = (values: readonly number[]): Tensor => tensor("int64", [values.length], values);

/** Makes a tensor of a copy of little-endian bytes. */
export const tensorFromBytes = (dtype: DataType, shape: readonly number[], bytes: Uint8Array): Tensor => {
  const array = arrayOf[dtype];
  // Not `slice`, which Node's Buffer overrides by a view on its shared pool.
  const copy = Uint8Array.from(bytes);
  return { dtype, shape, values: new array(copy.buffer, 0, copy.byteLength / array.BYTES_PER_ELEMENT) };
};

/** Values of an integer tensor as numbers. */
export const numbersOf = (value: Tensor): number[] => Array.from(value.values as ArrayLike<number | bigint>, Number);

/** Whether every dimension of a shape is known. */
export const isStatic = (shape: readonly Dimension[]): shape is readonly number[] =>
  shape.every((length) => typeof length === "number");

/** A shape as people read it. */
export const formatShape = (shape: readonly Dimension[]): string => `[${shape.join(", ")}]`;
