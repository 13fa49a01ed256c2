import { LearnError } from "../errors.ts";

/** Element types of IDX files, which are big-endian. */
export type IdxElement = "uint8" | "int8" | "int16" | "int32" | "float32" | "float64";

/** What the head of an IDX file says. */
export interface IdxHeader {
  readonly element: IdxElement;
  /** Bytes of one element. */
  readonly elementBytes: number;
  /** Sizes of the axes, rows first. */
  readonly shape: readonly number[];
  /** Bytes before the data. */
  readonly headerBytes: number;
}

const elements: Readonly<Record<number, { readonly element: IdxElement; readonly elementBytes: number }>> = {
  0x08: { element: "uint8", elementBytes: 1 },
  0x09: { element: "int8", elementBytes: 1 },
  0x0b: { element: "int16", elementBytes: 2 },
  0x0c: { element: "int32", elementBytes: 4 },
  0x0d: { element: "float32", elementBytes: 4 },
  0x0e: { element: "float64", elementBytes: 8 },
};

const hex = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");

/** Longest header: four bytes of magic number and 255 axes. */
export const idxHeaderBytesMax: number = 4 + 4 * 255;

/**
 * Reads the head of an IDX file (the format of the MNIST files): two zero bytes, element type, number of axes, then
 * each axis as a big-endian 32-bit integer.
 * @param bytes Beginning of the file; `idxHeaderBytesMax` bytes are always enough.
 * @throws LearnError `idx-invalid` when the magic number is wrong or the header is cut off.
 */
export const parseIdxHeader = (bytes: Uint8Array): IdxHeader => {
  const [zero, alsoZero, code = 0, axes = 0] = bytes;
  const known = elements[code];
  if (bytes.length < 4 || zero !== 0 || alsoZero !== 0 || known === undefined || axes === 0) {
    throw new LearnError(
      "idx-invalid",
      `The magic number is wrong: expected 00 00, an element type (08, 09, 0b–0e) and a number of axes, ` +
        `got ${bytes.length === 0 ? "an empty file" : hex(bytes.subarray(0, 4))}. Check that the file is an IDX file.`,
    );
  }
  const headerBytes = 4 + 4 * axes;
  if (bytes.length < headerBytes) {
    throw new LearnError(
      "idx-invalid",
      `The header is cut off: ${axes} axes need ${headerBytes} bytes, the file has ${bytes.length}. Fetch the file again.`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: axes }, (_, axis) => view.getUint32(4 + 4 * axis, false));
  return { ...known, shape, headerBytes };
};
