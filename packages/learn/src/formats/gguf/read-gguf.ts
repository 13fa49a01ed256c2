import { LearnError } from "../../errors.ts";
import {
  alignUp,
  defaultAlignment,
  type GgufArray,
  type GgufHeader,
  type GgufTensor,
  type GgufValue,
  type GgufValueType,
  ggufValueTypes,
  tensorEncodings,
} from "./gguf.ts";

/** Longest header that is read: metadata with the largest vocabularies in use needs a tenth of it. */
export const ggufHeaderBytesMax: number = 256 * 1024 * 1024;

const entriesMax = 65_536;
const keyBytesMax = 1024;
/** llama.cpp keeps tensor names in 64 bytes, the closing zero included. */
const tensorNameBytesMax = 63;
const dimensionsMax = 4;
const alignmentMax = 1024 * 1024;

const fail = (message: string): never => {
  throw new LearnError("gguf-invalid", `${message} Fetch or convert the file again.`);
};

/** The given bytes end before the header does, but the file goes on. */
class MoreNeeded extends Error {}

/** Fewest bytes that a value of each type takes, to refuse counts that the file cannot hold. */
const leastBytes: Readonly<Record<GgufValueType, number>> = {
  u8: 1,
  i8: 1,
  u16: 2,
  i16: 2,
  u32: 4,
  i32: 4,
  f32: 4,
  bool: 1,
  string: 8,
  array: 12,
  u64: 8,
  i64: 8,
  f64: 8,
};

const strictText = new TextDecoder("utf-8", { fatal: true });
const text = new TextDecoder("utf-8");

/** Reads numbers and strings one after the other; never beyond the file. */
class Cursor {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #fileBytes: number;
  at = 0;

  constructor(bytes: Uint8Array, fileBytes: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#fileBytes = fileBytes;
  }

  /** Bytes of the file after this place. */
  get left(): number {
    return this.#fileBytes - this.at;
  }

  #take(bytes: number): number {
    if (bytes > this.left) return fail("The GGUF file ends in the middle of its header.");
    if (this.at + bytes > this.#bytes.byteLength) throw new MoreNeeded();
    const start = this.at;
    this.at += bytes;
    return start;
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  /** A count or length: an unsigned 64-bit integer of at most `max`. */
  count(what: string, max: number): number {
    const value = this.#view.getBigUint64(this.#take(8), true);
    return value > BigInt(max) ? fail(`The GGUF file claims ${value} as ${what}; at most ${max} fit.`) : Number(value);
  }

  string(what: string, options: { readonly bytesMax: number; readonly strict: boolean }): string {
    const length = this.count(`the length of ${what}`, Math.min(options.bytesMax, Math.max(this.left - 8, 0)));
    const start = this.#take(length);
    const bytes = this.#bytes.subarray(start, start + length);
    if (!options.strict) return text.decode(bytes);
    try {
      return strictText.decode(bytes);
    } catch {
      return fail(`The GGUF file's ${what} at byte ${start} is not UTF-8.`);
    }
  }

  scalar(type: Exclude<GgufValueType, "array">): number | bigint | boolean | string {
    switch (type) {
      case "u8":
        return this.#view.getUint8(this.#take(1));
      case "i8":
        return this.#view.getInt8(this.#take(1));
      case "u16":
        return this.#view.getUint16(this.#take(2), true);
      case "i16":
        return this.#view.getInt16(this.#take(2), true);
      case "u32":
        return this.u32();
      case "i32":
        return this.#view.getInt32(this.#take(4), true);
      case "f32":
        return this.#view.getFloat32(this.#take(4), true);
      case "bool":
        return this.#view.getUint8(this.#take(1)) !== 0;
      case "u64":
        return this.#view.getBigUint64(this.#take(8), true);
      case "i64":
        return this.#view.getBigInt64(this.#take(8), true);
      case "f64":
        return this.#view.getFloat64(this.#take(8), true);
      case "string":
        return this.string("a text", { bytesMax: ggufHeaderBytesMax, strict: false });
    }
  }
}

const valueType = (number: number, key: string): GgufValueType =>
  ggufValueTypes[number] ?? fail(`The GGUF metadata "${key}" has the type ${number}; known are 0 to 12.`);

const readArray = (cursor: Cursor, key: string): GgufArray => {
  const element = valueType(cursor.u32(), key);
  if (element === "array") return fail(`The GGUF metadata "${key}" is an array of arrays, which nothing reads.`);
  const length = cursor.count(`the length of "${key}"`, Math.floor(Math.max(cursor.left - 8, 0) / leastBytes[element]));
  const values: (number | bigint | boolean | string)[] = [];
  for (let i = 0; i < length; i++) values.push(cursor.scalar(element));
  return { element, values };
};

const readMetadata = (cursor: Cursor, count: number): Map<string, GgufValue> => {
  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < count; i++) {
    const key = cursor.string("a metadata key", { bytesMax: keyBytesMax, strict: true });
    if (metadata.has(key)) return fail(`The GGUF metadata holds "${key}" twice.`);
    const type = valueType(cursor.u32(), key);
    const value = type === "array" ? readArray(cursor, key) : cursor.scalar(type);
    metadata.set(key, { type, value } as GgufValue);
  }
  return metadata;
};

const readAlignment = (metadata: ReadonlyMap<string, GgufValue>): number => {
  const given = metadata.get("general.alignment");
  if (given === undefined) return defaultAlignment;
  const { type, value } = given;
  const valid = type === "u32" && value >= 8 && value <= alignmentMax && (value & (value - 1)) === 0;
  return valid ? value : fail(`The GGUF file's general.alignment is no small power of two.`);
};

const readShape = (cursor: Cursor, name: string): { readonly shape: number[]; readonly elements: number } => {
  const dimensions = cursor.u32();
  if (dimensions < 1 || dimensions > dimensionsMax) {
    return fail(`The GGUF tensor "${name}" has ${dimensions} dimensions; 1 to ${dimensionsMax} are possible.`);
  }
  const shape: number[] = [];
  let elements = 1;
  for (let i = 0; i < dimensions; i++) {
    const size = cursor.count(`a size of the tensor "${name}"`, Number.MAX_SAFE_INTEGER);
    elements *= size;
    if (size < 1 || elements > Number.MAX_SAFE_INTEGER) {
      return fail(`The GGUF tensor "${name}" has sizes that no file can hold.`);
    }
    shape.push(size);
  }
  return { shape, elements };
};

const readTensor = (cursor: Cursor): GgufTensor => {
  const name = cursor.string("a tensor's name", { bytesMax: tensorNameBytesMax, strict: true });
  const { shape, elements } = readShape(cursor, name);
  const number = cursor.u32();
  const encoding = tensorEncodings.get(number);
  if (encoding === undefined) return fail(`The GGUF tensor "${name}" is stored in the unknown type ${number}.`);
  const row = shape[0] ?? 1;
  if (row % encoding.elements !== 0) {
    return fail(`The rows of the GGUF tensor "${name}" hold ${row} values, not whole blocks of ${encoding.elements}.`);
  }
  const offset = cursor.count(`the offset of the tensor "${name}"`, Number.MAX_SAFE_INTEGER);
  return { name, encoding, shape, offset, bytes: (elements / encoding.elements) * encoding.bytes };
};

/** Tensors lie one after the other, padded to the alignment, and inside the file: what llama.cpp demands too. */
const checkPlaces = (header: GgufHeader, fileBytes: number): void => {
  const names = new Set<string>();
  let expected = 0;
  for (const { name, offset, bytes } of header.tensors) {
    if (names.has(name)) fail(`The GGUF file holds the tensor "${name}" twice.`);
    names.add(name);
    if (offset !== expected) fail(`The GGUF tensor "${name}" starts at ${offset} instead of ${expected}.`);
    const end = header.dataOffset + offset + bytes;
    if (end > fileBytes) fail(`The GGUF file has ${fileBytes} bytes, but the tensor "${name}" ends at byte ${end}.`);
    expected = alignUp(offset + bytes, header.alignment);
  }
};

const readAll = (cursor: Cursor, fileBytes: number): GgufHeader => {
  if (cursor.u32() !== 0x46554747) return fail("The file does not begin with GGUF.");
  const version = cursor.u32();
  if (version !== 2 && version !== 3) {
    return fail(`The GGUF version is ${version}; versions 2 and 3 in little-endian order are read.`);
  }
  const tensorCount = cursor.count("the number of tensors", entriesMax);
  const entryCount = cursor.count("the number of metadata entries", entriesMax);
  const metadata = readMetadata(cursor, entryCount);
  const alignment = readAlignment(metadata);
  const tensors: GgufTensor[] = [];
  for (let i = 0; i < tensorCount; i++) tensors.push(readTensor(cursor));
  const header = { version, metadata, tensors, alignment, dataOffset: alignUp(cursor.at, alignment) };
  checkPlaces(header, fileBytes);
  return header;
};

/**
 * Reads and checks everything of a GGUF file (versions 2 and 3) but the tensors' bytes: counts, lengths, types, sizes
 * and places. What passes has no offset outside the file and no size that overflows.
 * @param bytes Beginning of the file.
 * @param fileBytes Size of the whole file.
 * @returns `null` when the header goes on after `bytes`: call again with more of the file.
 * @throws LearnError `gguf-invalid`.
 */
export const readGgufHeader = (bytes: Uint8Array, fileBytes: number): GgufHeader | null => {
  try {
    return readAll(new Cursor(bytes, fileBytes), fileBytes);
  } catch (error) {
    if (!(error instanceof MoreNeeded)) throw error;
    return bytes.byteLength >= ggufHeaderBytesMax
      ? fail(`The GGUF header is longer than ${ggufHeaderBytesMax} bytes.`)
      : null;
  }
};
