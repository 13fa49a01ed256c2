import type { FittedStep, Signature } from "@modelyard/contracts";
import { applyImageSteps, isImageStep } from "@modelyard/learn";
import { type DecodedImage, decodeImage } from "../datasets/index.ts";
import { PlatformError } from "../foundation/index.ts";

type Input = Signature["input"];
/** An input that becomes rows of one tensor of floats. */
export type FloatInput = Exclude<Input, { kind: "tensors" }>;
type ImageInput = Extract<Input, { kind: "image" }>;
type RowInput = Extract<Input, { kind: "row" }>;
type RowColumn = RowInput["columns"][number];
type TensorInput = Extract<Input, { kind: "tensor" }>;

/** What a model takes and what happens to it before the graph. */
export interface ServedInput {
  readonly signature: Signature;
  readonly preprocessing: readonly FittedStep[];
}

/** The refusal of an input. */
export const wrongInput = (message: string): PlatformError => new PlatformError("prediction-input-invalid", message);

const columnText = (column: RowColumn): string =>
  `${column.name} (${column.kind}${column.missing === "error" ? "" : ", may be null"})`;

/** What a model takes, in words. */
export const expectedOf = (input: Input): string => {
  switch (input.kind) {
    case "image": {
      const size = `${input.height ?? "height"}×${input.width ?? "width"}×${input.channels}`;
      return `an image (PNG, JPEG or WebP file, or an array of ${size} whole pixel values from 0 to 255)`;
    }
    case "row":
      return `an object with the columns ${input.columns.slice(0, 50).map(columnText).join(", ")}`;
    case "tensor":
      return `an array of shape [${input.shape.join(", ")}]`;
    case "tensors":
      return "values of the graph's inputs as JSON: one value, or an object with a member for each input";
  }
};

const shown = (value: unknown): string => (JSON.stringify(value) ?? "nothing").slice(0, 50);

/** Shape of a nested array, told by its first elements. */
const nestedShape = (value: unknown): number[] => {
  const shape: number[] = [];
  for (let level = value; Array.isArray(level) && shape.length < 16; level = level[0] as unknown) {
    shape.push(level.length);
  }
  return shape;
};

const came = (value: unknown): string =>
  Array.isArray(value) ? `an array of shape [${nestedShape(value).join(", ")}]` : shown(value);

const flatten = (value: unknown): readonly unknown[] => (Array.isArray(value) ? (value.flat(16) as unknown[]) : []);

/** Images of training and serving go through the same decoder and the same steps. */
const prepareImage = (pixels: DecodedImage, { preprocessing }: ServedInput): Float32Array =>
  Float32Array.from(applyImageSteps(pixels, preprocessing.filter(isImageStep)).data);

/** Decodes an image file and makes it what the graph takes. */
export const readImageFile = async (
  bytes: Uint8Array,
  input: ImageInput,
  served: ServedInput,
): Promise<Float32Array> => {
  const { height, width, channels } = input;
  const size = height === null || width === null ? {} : { size: { height, width } };
  return prepareImage(await decodeImage(bytes, { channels, ...size }), served);
};

/** Size of an array of pixels: the signature's, or where that is open the one it comes in. */
const pixelSize = (value: unknown, { height, width }: ImageInput): { height: number; width: number } => {
  const [rows = 0, columns = 0] = nestedShape(value);
  return height === null || width === null ? { height: rows, width: columns } : { height, width };
};

const readPixels = (value: unknown, input: ImageInput, served: ServedInput): Float32Array => {
  const { channels } = input;
  const { height, width } = pixelSize(value, input);
  const flat = flatten(value);
  const fits = flat.length > 0 && flat.length === height * width * channels;
  if (!fits) throw wrongInput(`The model takes ${expectedOf(input)}. What came: ${came(value)}.`);
  const bad = flat.find((pixel) => !Number.isInteger(pixel) || (pixel as number) < 0 || (pixel as number) > 255);
  if (bad !== undefined) {
    throw wrongInput(
      `A pixel is ${shown(bad)}. The model takes ${expectedOf(input)}; send pixels as they are in the file.`,
    );
  }
  return prepareImage({ data: Uint8Array.from(flat as number[]), height, width, channels }, served);
};

const readTensor = (value: unknown, input: TensorInput): Float32Array => {
  const length = input.shape.reduce((product, size) => product * size, 1);
  const flat = flatten(value);
  const mayBeNull = input.missing !== "error";
  const bad = flat.find((element) => typeof element !== "number" && !(mayBeNull && element === null));
  if (!Array.isArray(value) || flat.length !== length || bad !== undefined) {
    const what = bad === undefined ? came(value) : `${shown(bad)} among its elements`;
    throw wrongInput(`The model takes ${expectedOf(input)}: ${length} numbers. What came: ${what}.`);
  }
  return Float32Array.from(flat, (element) => (element === null ? Number.NaN : (element as number)));
};

const missingValue = (column: RowColumn): number => {
  if (column.missing !== "error") return Number.NaN;
  throw wrongInput(
    `The column "${column.name}" is missing. Send a ${column.kind}; the model was trained without a step that fills it.`,
  );
};

const numberValue = (name: string, value: unknown): number => {
  // Beyond the range of float32 a number would become infinite inside the model.
  if (typeof value === "number" && Number.isFinite(Math.fround(value))) return value;
  throw wrongInput(`The column "${name}" takes a number, but ${shown(value)} came.`);
};

const categoryIndex = (column: Extract<RowColumn, { kind: "category" }>, value: unknown): number => {
  const plain = typeof value === "string" || typeof value === "number" || typeof value === "boolean";
  const index = plain ? column.categories.indexOf(String(value)) : -1;
  if (index >= 0 || (plain && column.unknown === "ignore")) return index;
  const some = column.categories.slice(0, 20).join(", ");
  throw wrongInput(`The column "${column.name}" has no category ${shown(value)}. Known are: ${some}.`);
};

const columnValue = (column: RowColumn, value: unknown): number => {
  if (value === undefined || value === null) return missingValue(column);
  return column.kind === "number" ? numberValue(column.name, value) : categoryIndex(column, value);
};

const readRow = (value: unknown, input: RowInput): Float32Array => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw wrongInput(`The model takes ${expectedOf(input)}. What came: ${came(value)}.`);
  }
  const known = new Set(input.columns.map(({ name }) => name));
  const unknown = Object.keys(value).find((name) => !known.has(name));
  if (unknown !== undefined) {
    throw wrongInput(`There is no column "${unknown.slice(0, 100)}". The model takes ${expectedOf(input)}.`);
  }
  const row = new Map(Object.entries(value));
  return Float32Array.from(input.columns, (column) => columnValue(column, row.get(column.name)));
};

/**
 * Brings one raw input to the values that the graph takes for it.
 * @throws PlatformError `prediction-input-invalid` saying what was expected and what came; `image-undecodable`.
 */
export const readRawInput = async (value: unknown, input: FloatInput, served: ServedInput): Promise<Float32Array> => {
  if (input.kind === "row") return readRow(value, input);
  if (input.kind === "tensor") return readTensor(value, input);
  if (typeof value !== "string") return readPixels(value, input, served);
  return readImageFile(Buffer.from(value.replace(/^data:[^,]*,/, ""), "base64"), input, served);
};
