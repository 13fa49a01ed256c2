import { LearnError } from "../errors.ts";

/** Element types of `.npy` files that can be read. */
export type NpyElement =
  | "bool"
  | "uint8"
  | "int8"
  | "uint16"
  | "int16"
  | "uint32"
  | "int32"
  | "int64"
  | "float16"
  | "float32"
  | "float64";

/** What the head of a `.npy` file says. */
export interface NpyHeader {
  readonly element: NpyElement;
  /** Bytes of one element. */
  readonly elementBytes: number;
  readonly littleEndian: boolean;
  /** Whether the first axis varies fastest. */
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
  /** Bytes before the data. */
  readonly headerBytes: number;
}

const elements: Readonly<Record<string, NpyElement>> = {
  b1: "bool",
  u1: "uint8",
  i1: "int8",
  u2: "uint16",
  i2: "int16",
  u4: "uint32",
  i4: "int32",
  i8: "int64",
  f2: "float16",
  f4: "float32",
  f8: "float64",
};

const fail = (message: string): never => {
  throw new LearnError("npy-invalid", message);
};

/** Longest header that is accepted. */
export const npyHeaderBytesMax: number = 65_536;

/**
 * Size of the whole head of a `.npy` file, from its first 12 bytes.
 * @throws LearnError `npy-invalid` when the magic string is wrong or the head is longer than `npyHeaderBytesMax`.
 */
export const npyHeaderBytes = (bytes: Uint8Array): number => {
  const magic = String.fromCharCode(...bytes.subarray(1, 6));
  if (bytes.length < 10 || bytes[0] !== 0x93 || magic !== "NUMPY") {
    return fail(
      "The file does not begin with \\x93NUMPY. Write it with numpy.save, and check that it is no .npz archive.",
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = bytes[6] ?? 0;
  if (version < 1 || version > 3) return fail(`The format version is ${version}; versions 1, 2 and 3 are read.`);
  if (version > 1 && bytes.length < 12) return fail("The header is cut off. Fetch or write the file again.");
  const total = version === 1 ? 10 + view.getUint16(8, true) : 12 + view.getUint32(8, true);
  return total <= npyHeaderBytesMax
    ? total
    : fail(`The header claims ${total} bytes; at most ${npyHeaderBytesMax} are read.`);
};

const shapeOf = (text: string): number[] =>
  text
    .split(",")
    .map((part) => part.trim().replace(/L$/, ""))
    .filter((part) => part !== "")
    .map((part) => (/^[0-9]{1,15}$/.test(part) ? Number(part) : fail(`The shape holds ${part}, which is no size.`)));

/** Element type and order of bytes, from the text of the head. */
const elementOf = (text: string): Pick<NpyHeader, "element" | "elementBytes" | "littleEndian"> => {
  const [, order, code = ""] = /'descr'\s*:\s*'([<>|=])([a-zA-Z][0-9]+)'/.exec(text) ?? [];
  const element = elements[code];
  if (element !== undefined) return { element, elementBytes: Number(code.slice(1)), littleEndian: order !== ">" };
  const found = /'descr'\s*:\s*([^,]+)/.exec(text)?.[1] ?? "nothing";
  return fail(
    `The element type is ${found.slice(0, 60)}; read are bool, integers up to 64 bits (not uint64) and floats. ` +
      "Convert the array with astype, e.g. x.astype('float32').",
  );
};

/**
 * Reads the head of a NumPy `.npy` file (format versions 1 to 3).
 * @param bytes Beginning of the file, at least `npyHeaderBytes(bytes)` long.
 * @throws LearnError `npy-invalid` when the head is damaged or the element type cannot be read.
 */
export const parseNpyHeader = (bytes: Uint8Array): NpyHeader => {
  const headerBytes = npyHeaderBytes(bytes);
  if (bytes.length < headerBytes) return fail("The header is cut off. Fetch or write the file again.");
  const start = bytes[6] === 1 ? 10 : 12;
  let text = "";
  for (const byte of bytes.subarray(start, headerBytes)) text += String.fromCharCode(byte);
  const [, fortran] = /'fortran_order'\s*:\s*(True|False)/.exec(text) ?? [];
  const [, shape] = /'shape'\s*:\s*\(([^)]*)\)/.exec(text) ?? [];
  if (fortran === undefined || shape === undefined) return fail("The header is damaged. Write the file again.");
  return { ...elementOf(text), fortranOrder: fortran === "True", shape: shapeOf(shape), headerBytes };
};
