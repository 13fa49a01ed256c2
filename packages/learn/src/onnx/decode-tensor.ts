import { LearnError } from "../errors.ts";
import { dataTypeCode } from "./builder.ts";
import type { Int64, TensorMessage } from "./proto.ts";
import { bytesPerElement, elementCount, formatShape, tensor, tensorFromBytes } from "./tensor.ts";
import type { DataType, Tensor } from "./tensor.ts";

/** The error for a model that cannot be read, with its cause in words. */
export const invalidModel = (cause: string): LearnError =>
  new LearnError(
    "onnx-invalid",
    `The ONNX model is not valid: ${cause}. Export the model again, with its weights inside.`,
  );

/** A 64-bit integer as a number. */
export const numberOf = (value: Int64 | undefined): number =>
  typeof value === "number" || value === undefined ? (value ?? 0) : value.toNumber();

/** A length read from a file; negative and absurd ones are refused. */
export const lengthOf = (value: Int64 | undefined, what: string): number => {
  const length = numberOf(value);
  if (Number.isSafeInteger(length) && length >= 0 && length < 2 ** 40) return length;
  throw invalidModel(`${what} has the length ${length}`);
};

const listOf = (message: TensorMessage, dtype: DataType): readonly Int64[] => {
  if (dtype === "float32") return message.floatData ?? [];
  if (dtype === "float64") return message.doubleData ?? [];
  if (dtype === "int64") return message.int64Data ?? [];
  return message.int32Data ?? [];
};

const dataTypeOf = (code: number, what: string): DataType => {
  const dtype = (Object.keys(dataTypeCode) as DataType[]).find((key) => dataTypeCode[key] === code);
  if (dtype !== undefined) return dtype;
  throw invalidModel(`${what} has the element type ${code}, which is not supported`);
};

/** Reads a tensor; what it says of its size must be what it holds. */
export const decodeTensor = (message: TensorMessage): Tensor => {
  const what = `the tensor "${message.name ?? ""}"`;
  if (message.dataLocation === 1 || message.externalData?.length) {
    throw invalidModel(`${what} lies in another file, and other files are never opened`);
  }
  const dtype = dataTypeOf(message.dataType ?? 0, what);
  const shape = (message.dims ?? []).map((length) => lengthOf(length, what));
  const raw = message.rawData?.length ? message.rawData : undefined;
  const list = listOf(message, dtype);
  const held = raw === undefined ? list.length : raw.length / bytesPerElement(dtype);
  const count = elementCount(shape);
  if (held !== count) {
    throw invalidModel(
      `${what} claims the shape ${formatShape(shape)}, which is ${count} elements, but it holds ${held}`,
    );
  }
  return raw === undefined ? tensor(dtype, shape, list.map(numberOf)) : tensorFromBytes(dtype, shape, raw);
};
