import type { TensorDatatype, TensorSpec } from "@modelyard/contracts";
import { elementsOf, isTexts, type Tensor, type TensorElements, zeros } from "../runtimes/index.ts";
import { briefly, shapeText, wrongTensor } from "./inference-request.ts";

type Taker = (out: never, at: number, value: unknown) => boolean;

interface Reader {
  readonly expected: string;
  readonly write: Taker;
}

const whole = (expected: string): Reader => ({
  expected,
  // A value out of the array's range comes back changed.
  write: (out: Int32Array, at, value) => Number.isInteger(value) && ((out[at] = value as number), out[at] === value),
});

const wide = (expected: string): Reader => ({
  expected,
  write: (out: BigInt64Array, at, value) => {
    if (typeof value !== "bigint" && !Number.isSafeInteger(value)) return false;
    const exact = BigInt(value as number | bigint);
    out[at] = exact;
    return out[at] === exact;
  },
});

const real: Reader = {
  expected: "numbers",
  write: (out: Float32Array, at, value) => {
    if (typeof value === "number") out[at] = value;
    else if (value === null) out[at] = Number.NaN;
    else if (typeof value === "bigint") out[at] = Number(value);
    else return false;
    return true;
  },
};

const readers: Readonly<Partial<Record<TensorDatatype, Reader>>> = {
  BOOL: {
    expected: "true or false",
    write: (out: Uint8Array, at, value) => typeof value === "boolean" && ((out[at] = value ? 1 : 0), true),
  },
  UINT8: whole("whole numbers from 0 to 255"),
  UINT16: whole("whole numbers from 0 to 65535"),
  UINT32: whole("whole numbers of 32 bits from 0"),
  UINT64: wide("whole numbers of 64 bits from 0"),
  INT8: whole("whole numbers from -128 to 127"),
  INT16: whole("whole numbers of 16 bits"),
  INT32: whole("whole numbers of 32 bits"),
  INT64: wide("whole numbers of 64 bits"),
  FP32: real,
  FP64: real,
  BYTES: {
    expected: "texts",
    write: (out: string[], at, value) => typeof value === "string" && ((out[at] = value), true),
  },
};

/** Fills flat numbers without a call per element; where it stops, the general way goes on. */
const fillNumbers = (data: readonly unknown[], out: Float32Array | Float64Array): number => {
  const length = Math.min(data.length, out.length);
  for (let at = 0; at < length; at++) {
    const value = data[at];
    if (typeof value !== "number") return at;
    out[at] = value;
  }
  return length;
};

/**
 * Reads the `data` of a tensor, nested or flat.
 * @throws PlatformError `tensor-invalid` saying what stands where it should not, or how many values are missing.
 */
export const readJsonData = (given: unknown, spec: TensorSpec, shape: readonly number[]): TensorElements => {
  const { name, datatype } = spec;
  const reader = readers[datatype];
  if (reader === undefined) {
    throw wrongTensor(`Input "${name}" is ${datatype}, which JSON has no form for. Send it as binary tensor data.`);
  }
  if (!Array.isArray(given)) throw wrongTensor(`Input "${name}" has no array \`data\`. Give its values row by row.`);
  const length = elementsOf(shape);
  // Every value takes at least one character, so that a shape alone cannot claim memory.
  if (given.length > length || (!given.some(Array.isArray) && given.length !== length)) {
    throw wrongTensor(`Input "${name}" of shape ${shapeText(shape)} needs ${length} values, but ${given.length} came.`);
  }
  const data = zeros(datatype, length);
  const flat = data instanceof Float32Array || data instanceof Float64Array ? fillNumbers(given, data) : 0;
  let at = 0;
  const walk = (values: readonly unknown[], depth: number): void => {
    if (depth > shape.length) throw wrongTensor(`Input "${name}" is nested deeper than its shape ${shapeText(shape)}.`);
    for (const value of values) {
      if (Array.isArray(value)) walk(value, depth + 1);
      else {
        if (at < length && !reader.write(data as never, at, value)) {
          throw wrongTensor(
            `Input "${name}" holds ${briefly(value)} at position ${at}, where ${datatype} takes ${reader.expected}.`,
          );
        }
        at++;
      }
    }
  };
  if (flat < length) walk(given, Math.min(shape.length, 1));
  else at = flat;
  if (at === length) return data;
  throw wrongTensor(`Input "${name}" of shape ${shapeText(shape)} needs ${length} values, but ${at} came.`);
};

const realText = (value: number): string => {
  if (Number.isFinite(value)) return String(value);
  // JSON has no infinities, but every reader turns these into them.
  return Number.isNaN(value) ? "null" : value > 0 ? "1e999" : "-1e999";
};

/** The elements of a tensor as a JSON array, flat; NaN comes as null. */
export const writeJsonData = ({ datatype, data }: Tensor): string => {
  if (isTexts(data)) return JSON.stringify(data);
  if (datatype === "BOOL") return `[${Array.from(data as Uint8Array, (value) => value !== 0).join(",")}]`;
  if (datatype === "FP32" || datatype === "FP64") return `[${Array.from(data as Float32Array, realText).join(",")}]`;
  return `[${data.join(",")}]`;
};
