import type { TensorSpec } from "@modelyard/contracts";
import {
  bytesOf,
  bytesPerElement,
  elementsIn,
  elementsOf,
  isTexts,
  type Tensor,
  type TensorElements,
} from "../runtimes/index.ts";
import { shapeText, wrongTensor } from "./inference-request.ts";

const lengthBytes = 4;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A text of bytes; the models' texts are UTF-8. @throws PlatformError `tensor-invalid`. */
export const textIn = (bytes: Uint8Array, name: string): string => {
  try {
    return utf8.decode(bytes);
  } catch {
    throw wrongTensor(`Input "${name}" holds bytes that are no UTF-8 text, and the model takes texts.`);
  }
};

const textsIn = (bytes: Uint8Array, name: string, count: number): string[] => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const texts: string[] = [];
  let at = 0;
  while (at + lengthBytes <= bytes.byteLength && texts.length <= count) {
    const end = at + lengthBytes + view.getUint32(at, true);
    if (end > bytes.byteLength) break;
    texts.push(textIn(bytes.subarray(at + lengthBytes, end), name));
    at = end;
  }
  if (at === bytes.byteLength && texts.length === count) return texts;
  throw wrongTensor(
    `Input "${name}" needs ${count} elements, each a length of 4 bytes and its bytes, but the ${bytes.byteLength} bytes that came hold others.`,
  );
};

/**
 * Reads a tensor's bytes: little-endian, row-major; a view of them where they are aligned.
 * @throws PlatformError `tensor-invalid` when they are too few or too many.
 */
export const readBinaryData = (bytes: Uint8Array, spec: TensorSpec, shape: readonly number[]): TensorElements => {
  const { name, datatype } = spec;
  const length = elementsOf(shape);
  if (datatype === "BYTES") return textsIn(bytes, name, length);
  const needed = length * bytesPerElement(datatype);
  if (needed !== bytes.byteLength) {
    throw wrongTensor(
      `Input "${name}" of shape ${shapeText(shape)} and datatype ${datatype} needs ${needed} bytes, but ${bytes.byteLength} came.`,
    );
  }
  // Any byte but 0 is true; the engine knows 1 alone.
  if (datatype === "BOOL" && bytes.some((value) => value > 1))
    return Uint8Array.from(bytes, (value) => (value === 0 ? 0 : 1));
  return elementsIn(datatype, bytes);
};

/** A tensor's bytes; without a copy unless it holds texts. */
export const writeBinaryData = ({ data }: Tensor): Uint8Array => {
  if (!isTexts(data)) return bytesOf(data);
  const encoded = data.map((text) => Buffer.from(text));
  const bytes = Buffer.allocUnsafe(encoded.reduce((sum, { length }) => sum + lengthBytes + length, 0));
  let at = 0;
  for (const text of encoded) {
    at = bytes.writeUInt32LE(text.length, at);
    at += text.copy(bytes, at);
  }
  return bytes;
};
