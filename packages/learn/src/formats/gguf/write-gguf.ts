import { alignUp, defaultAlignment, type GgufValue, ggufValueTypes, tensorEncodings } from "./gguf.ts";
import { encodeTensor, type WritableEncoding } from "./encode-tensor.ts";

/** A tensor to write. Its values are asked for when their turn comes, so that a large model is never whole in memory. */
export interface TensorToWrite {
  readonly name: string;
  readonly encoding: WritableEncoding;
  /** Sizes, the innermost (a row's length) first. */
  readonly shape: readonly number[];
  readonly values: () => Float32Array;
}

/** A model to write. */
export interface GgufToWrite {
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: readonly TensorToWrite[];
}

const encoder = new TextEncoder();
const encodingNumbers = new Map([...tensorEncodings].map(([number, { name }]) => [name, number]));

/** Grows as it is written to. */
class Sink {
  #bytes = new Uint8Array(64 * 1024);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  #room(bytes: number): number {
    const start = this.#length;
    this.#length += bytes;
    if (this.#length > this.#bytes.byteLength) {
      const larger = new Uint8Array(Math.max(this.#length, this.#bytes.byteLength * 2));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return start;
  }

  u32(value: number): void {
    const at = this.#room(4);
    this.#view.setUint32(at, value, true);
  }

  u64(value: number | bigint): void {
    const at = this.#room(8);
    this.#view.setBigUint64(at, BigInt(value), true);
  }

  string(value: string): void {
    const bytes = encoder.encode(value);
    this.u64(bytes.byteLength);
    const at = this.#room(bytes.byteLength);
    this.#bytes.set(bytes, at);
  }

  scalar(type: Exclude<GgufValue["type"], "array">, value: number | bigint | boolean | string): void {
    if (type === "string") return this.string(String(value));
    const width = { u8: 1, i8: 1, bool: 1, u16: 2, i16: 2, u32: 4, i32: 4, f32: 4, u64: 8, i64: 8, f64: 8 }[type];
    const at = this.#room(width);
    if (type === "f32") this.#view.setFloat32(at, Number(value), true);
    else if (type === "f64") this.#view.setFloat64(at, Number(value), true);
    else if (width === 8) this.#view.setBigInt64(at, BigInt(value), true);
    else if (width === 4) this.#view.setInt32(at, Number(value), true);
    else if (width === 2) this.#view.setInt16(at, Number(value), true);
    else this.#view.setInt8(at, Number(value));
  }

  /** What was written, padded with zeros to a multiple. */
  padded(alignment: number): Uint8Array {
    this.#room(alignUp(this.#length, alignment) - this.#length);
    return this.#bytes.subarray(0, this.#length);
  }
}

const writeValue = (sink: Sink, given: GgufValue): void => {
  sink.u32(ggufValueTypes.indexOf(given.type));
  if (given.type !== "array") return sink.scalar(given.type, given.value);
  const { element, values } = given.value;
  sink.u32(ggufValueTypes.indexOf(element));
  sink.u64(values.length);
  for (const value of values) sink.scalar(element, value);
};

const bytesOf = ({ name, encoding, shape }: TensorToWrite): number => {
  const elements = shape.reduce((product, size) => product * size, 1);
  const found = tensorEncodings.get(encodingNumbers.get(encoding) ?? -1);
  if (found === undefined || (shape[0] ?? 0) % found.elements !== 0) {
    throw new RangeError(`the rows of "${name}" are no whole blocks of ${encoding}`);
  }
  return (elements / found.elements) * found.bytes;
};

/**
 * Writes a model as GGUF version 3, piece by piece: the header, then one piece a tensor.
 * @throws RangeError when a tensor's rows are no whole blocks, or its values are not as many as its shape says.
 */
export function* writeGguf({ metadata, tensors }: GgufToWrite): Generator<Uint8Array> {
  const alignment = defaultAlignment;
  const sink = new Sink();
  sink.u32(0x46554747);
  sink.u32(3);
  sink.u64(tensors.length);
  sink.u64(metadata.size);
  for (const [key, value] of metadata) {
    sink.string(key);
    writeValue(sink, value);
  }
  let offset = 0;
  for (const tensor of tensors) {
    sink.string(tensor.name);
    sink.u32(tensor.shape.length);
    for (const size of tensor.shape) sink.u64(size);
    sink.u32(encodingNumbers.get(tensor.encoding) ?? 0);
    sink.u64(offset);
    offset = alignUp(offset + bytesOf(tensor), alignment);
  }
  yield sink.padded(alignment);
  for (const tensor of tensors) {
    const bytes = encodeTensor(tensor.values(), tensor.encoding);
    if (bytes.byteLength !== bytesOf(tensor)) throw new RangeError(`"${tensor.name}" has other values than its shape`);
    const padding = alignUp(bytes.byteLength, alignment) - bytes.byteLength;
    yield bytes;
    if (padding > 0) yield new Uint8Array(padding);
  }
}
