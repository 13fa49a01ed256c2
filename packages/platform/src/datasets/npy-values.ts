import type { Column } from "@modelyard/contracts";
import type { NpyElement, NpyHeader } from "@modelyard/learn";

/** Element types of tensor columns. */
export type StoredElement = Extract<Column, { kind: "tensor" }>["dtype"];

/** The type that elements are stored as: the nearest one that holds every value. */
export const storedElements: Readonly<Record<NpyElement, StoredElement>> = {
  bool: "uint8",
  uint8: "uint8",
  int8: "int32",
  uint16: "int32",
  int16: "int32",
  uint32: "int64",
  int32: "int32",
  int64: "int64",
  float16: "float32",
  float32: "float32",
  float64: "float64",
};

/** A half-precision number from its bits (IEEE 754 binary16). */
const halfToNumber = (bits: number): number => {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
};

type Read = (view: DataView, at: number, littleEndian: boolean) => number;

const reads: Readonly<Record<NpyElement, Read>> = {
  bool: (view, at) => (view.getUint8(at) === 0 ? 0 : 1),
  uint8: (view, at) => view.getUint8(at),
  int8: (view, at) => view.getInt8(at),
  uint16: (view, at, little) => view.getUint16(at, little),
  int16: (view, at, little) => view.getInt16(at, little),
  uint32: (view, at, little) => view.getUint32(at, little),
  int32: (view, at, little) => view.getInt32(at, little),
  int64: (view, at, little) => Number(view.getBigInt64(at, little)),
  float16: (view, at, little) => halfToNumber(view.getUint16(at, little)),
  float32: (view, at, little) => view.getFloat32(at, little),
  float64: (view, at, little) => view.getFloat64(at, little),
};

const viewOf = (block: Uint8Array): DataView => new DataView(block.buffer, block.byteOffset, block.byteLength);

/** Elements of a block as numbers; whole numbers beyond 2⁵³ are rounded. */
export const numbersOf = (block: Uint8Array, header: NpyHeader): Float64Array => {
  const view = viewOf(block);
  const read = reads[header.element];
  const values = new Float64Array(block.byteLength / header.elementBytes);
  for (let i = 0; i < values.length; i++) values[i] = read(view, i * header.elementBytes, header.littleEndian);
  return values;
};

const asBytes = (view: ArrayBufferView): Uint8Array => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

/** Elements of a block as they are stored, little-endian. */
export const storedBytes = (block: Uint8Array, header: NpyHeader): Uint8Array => {
  const stored = storedElements[header.element];
  if (stored === header.element && (header.littleEndian || header.elementBytes === 1)) return block;
  if (header.element === "int64") {
    const view = viewOf(block);
    return asBytes(BigInt64Array.from({ length: block.byteLength / 8 }, (_, i) => view.getBigInt64(i * 8, false)));
  }
  const values = numbersOf(block, header);
  switch (stored) {
    case "uint8":
      return Uint8Array.from(values);
    case "int32":
      return asBytes(Int32Array.from(values));
    case "int64":
      return asBytes(BigInt64Array.from(values, BigInt));
    case "float32":
      return asBytes(Float32Array.from(values));
    case "float64":
      break;
  }
  return asBytes(values);
};
