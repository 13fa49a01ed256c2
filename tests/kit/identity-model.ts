/** Codes of ONNX's element types by the names of the Open Inference Protocol. */
const elementTypes = {
  FP32: 1,
  UINT8: 2,
  INT8: 3,
  UINT16: 4,
  INT16: 5,
  INT32: 6,
  INT64: 7,
  BYTES: 8,
  BOOL: 9,
  FP16: 10,
  FP64: 11,
  UINT32: 12,
  UINT64: 13,
  BF16: 16,
} as const;

/** A datatype that ONNX knows. */
export type ElementType = keyof typeof elementTypes;
/** All of them. */
export const everyElementType = Object.keys(elementTypes) as ElementType[];

/** A tensor that goes in as `name` and comes out as `name_out`; texts in the shape are free axes. */
export interface IdentityPort {
  readonly name: string;
  readonly datatype: ElementType;
  readonly shape: readonly (number | string)[];
}

const varint = (value: number): number[] => {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return [...bytes, rest];
};
const number = (field: number, value: number): number[] => [...varint(field * 8), ...varint(value)];
const bytes = (field: number, value: readonly number[]): number[] => [
  ...varint(field * 8 + 2),
  ...varint(value.length),
  ...value,
];
const text = (field: number, value: string): number[] => bytes(field, [...new TextEncoder().encode(value)]);

const valueInfo = (name: string, { datatype, shape }: IdentityPort): number[] => {
  const dims = shape.flatMap((size) => bytes(1, typeof size === "number" ? number(1, size) : text(2, size)));
  return [...text(1, name), ...bytes(2, bytes(1, [...number(1, elementTypes[datatype]), ...bytes(2, dims)]))];
};

/** An ONNX file that gives back what it gets: one `Identity` for each port. Written out by hand, so it tests the readers too. */
export const identityModel = (ports: readonly IdentityPort[]): Uint8Array<ArrayBuffer> => {
  const nodes = ports.flatMap(({ name }) =>
    bytes(1, [...text(1, name), ...text(2, `${name}_out`), ...text(3, `copy_${name}`), ...text(4, "Identity")]),
  );
  const inputs = ports.flatMap((port) => bytes(11, valueInfo(port.name, port)));
  const outputs = ports.flatMap((port) => bytes(12, valueInfo(`${port.name}_out`, port)));
  const graph = [...nodes, ...text(2, "identity"), ...inputs, ...outputs];
  const operatorSet = [...text(1, ""), ...number(2, 18)];
  return Uint8Array.from([...number(1, 8), ...bytes(7, graph), ...bytes(8, operatorSet)]);
};
