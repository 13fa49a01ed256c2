/** Names of the metadata types of GGUF, by their number in the file. */
export const ggufValueTypes = [
  "u8",
  "i8",
  "u16",
  "i16",
  "u32",
  "i32",
  "f32",
  "bool",
  "string",
  "array",
  "u64",
  "i64",
  "f64",
] as const;

/** Type of a metadata value. */
export type GgufValueType = (typeof ggufValueTypes)[number];

/** Values of one type. 64-bit integers are `bigint`. */
export interface GgufArray {
  readonly element: Exclude<GgufValueType, "array">;
  readonly values: readonly (number | bigint | boolean | string)[];
}

/** A metadata value with its type, as the file says it. */
export type GgufValue =
  | { readonly type: "u8" | "i8" | "u16" | "i16" | "u32" | "i32" | "f32" | "f64"; readonly value: number }
  | { readonly type: "u64" | "i64"; readonly value: bigint }
  | { readonly type: "bool"; readonly value: boolean }
  | { readonly type: "string"; readonly value: string }
  | { readonly type: "array"; readonly value: GgufArray };

/** How the elements of a tensor are stored: blocks of `elements` values in `bytes` bytes. */
export interface TensorEncoding {
  readonly name: string;
  readonly elements: number;
  readonly bytes: number;
}

/** Encodings of tensors by their number in the file, from llama.cpp's `ggml.h` and `ggml-common.h`. */
export const tensorEncodings: ReadonlyMap<number, TensorEncoding> = new Map(
  (
    [
      [0, "F32", 1, 4],
      [1, "F16", 1, 2],
      [2, "Q4_0", 32, 18],
      [3, "Q4_1", 32, 20],
      [6, "Q5_0", 32, 22],
      [7, "Q5_1", 32, 24],
      [8, "Q8_0", 32, 34],
      [9, "Q8_1", 32, 36],
      [10, "Q2_K", 256, 84],
      [11, "Q3_K", 256, 110],
      [12, "Q4_K", 256, 144],
      [13, "Q5_K", 256, 176],
      [14, "Q6_K", 256, 210],
      [15, "Q8_K", 256, 292],
      [16, "IQ2_XXS", 256, 66],
      [17, "IQ2_XS", 256, 74],
      [18, "IQ3_XXS", 256, 98],
      [19, "IQ1_S", 256, 50],
      [20, "IQ4_NL", 32, 18],
      [21, "IQ3_S", 256, 110],
      [22, "IQ2_S", 256, 82],
      [23, "IQ4_XS", 256, 136],
      [24, "I8", 1, 1],
      [25, "I16", 1, 2],
      [26, "I32", 1, 4],
      [27, "I64", 1, 8],
      [28, "F64", 1, 8],
      [29, "IQ1_M", 256, 56],
      [30, "BF16", 1, 2],
      [34, "TQ1_0", 256, 54],
      [35, "TQ2_0", 256, 66],
      [39, "MXFP4", 32, 17],
    ] as const
  ).map(([number, name, elements, bytes]) => [number, { name, elements, bytes }]),
);

/** A tensor of a file: where its bytes lie. */
export interface GgufTensor {
  readonly name: string;
  readonly encoding: TensorEncoding;
  /** Sizes, the innermost (a row's length) first. */
  readonly shape: readonly number[];
  /** Bytes from the start of the data section. */
  readonly offset: number;
  readonly bytes: number;
}

/** Everything of a GGUF file but the tensors' bytes. */
export interface GgufHeader {
  readonly version: number;
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: readonly GgufTensor[];
  /** Every tensor starts at a multiple of this. */
  readonly alignment: number;
  /** Where the data section starts in the file. */
  readonly dataOffset: number;
}

/** The next multiple of an alignment. */
export const alignUp = (bytes: number, alignment: number): number => Math.ceil(bytes / alignment) * alignment;

/** Bytes between tensors when the file does not say. */
export const defaultAlignment = 32;
