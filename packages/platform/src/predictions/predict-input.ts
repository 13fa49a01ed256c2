import { PredictRequest, type Prediction, type Signature } from "@modelyard/contracts";
import { classProbabilities } from "@modelyard/learn";
import busboy from "busboy";
import { Readable } from "node:stream";
import { decodeImage } from "../datasets/index.ts";
import { PlatformError } from "../foundation/index.ts";
import type { Tensor } from "../runtimes/index.ts";
import { type ModelTensors, takeInputs } from "./inference-request.ts";
import { parsePredictionJson } from "./parse-json.ts";
import { rowInputs, rowsJson } from "./row-tensors.ts";
import type { AnsweringModel } from "./write-inference-response.ts";

type Input = Signature["input"];
type FloatInput = Exclude<Input, { kind: "tensors" }>;
type ImageInput = Extract<Input, { kind: "image" }>;
type RowInput = Extract<Input, { kind: "row" }>;

const rowsMax = 4096;

const wrong = (message: string): PlatformError => new PlatformError("prediction-input-invalid", message);

const expectedOf = (input: Input): string => {
  switch (input.kind) {
    case "image":
      return `an image (PNG, JPEG or WebP file, or an array of ${input.height}×${input.width}×${input.channels} pixels from 0 to 255)`;
    case "row":
      return `an object with the columns ${input.columns.map(({ name }) => name).join(", ")}`;
    case "tensor":
      return `an array of shape [${input.shape.join(", ")}]`;
    case "tensors":
      return "values of the graph's inputs as JSON: one value, or an object with a member for each input";
  }
};

const numbersOf = (value: unknown, length: number, input: FloatInput): Float32Array => {
  const flat: unknown[] = Array.isArray(value) ? (value.flat(16) as unknown[]) : [];
  const bad = flat.find((element) => typeof element !== "number");
  if (!Array.isArray(value) || flat.length !== length || bad !== undefined) {
    const came = Array.isArray(value) ? `${flat.length} values` : typeof value;
    throw wrong(`The model takes ${expectedOf(input)}: ${length} numbers. What came: ${came}.`);
  }
  return Float32Array.from(flat as number[]);
};

const fromPixels = async (bytes: Uint8Array, input: ImageInput): Promise<Float32Array> => {
  const { data } = await decodeImage(bytes, { channels: input.channels, size: input });
  return Float32Array.from(data);
};

const columnValue = (column: RowInput["columns"][number], value: unknown): number => {
  if (value === undefined || value === null) return column.kind === "number" ? Number.NaN : -1;
  if (column.kind === "number") {
    if (typeof value === "number") return value;
    throw wrong(`The column "${column.name}" takes a number, but ${JSON.stringify(value).slice(0, 50)} came.`);
  }
  const index = typeof value === "object" ? -1 : column.categories.indexOf(value as string);
  if (index >= 0) return index;
  const some = column.categories.slice(0, 20).join(", ");
  throw wrong(`The column "${column.name}" has no category ${JSON.stringify(value).slice(0, 50)}. Known are: ${some}.`);
};

const fromRow = (value: unknown, input: RowInput): Float32Array => {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw wrong(`The model takes ${expectedOf(input)}.`);
  const known = input.columns.map(({ name }) => name);
  const unknown = Object.keys(value).find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw wrong(`There is no column "${unknown.slice(0, 100)}". Columns are: ${known.join(", ")}.`);
  const row = value as Record<string, unknown>;
  return Float32Array.from(input.columns, (column) => columnValue(column, row[column.name]));
};

const fromValue = async (value: unknown, input: FloatInput): Promise<Float32Array> => {
  if (input.kind === "row") return fromRow(value, input);
  if (input.kind === "tensor")
    return numbersOf(
      value,
      input.shape.reduce((product, size) => product * size, 1),
      input,
    );
  if (typeof value === "string") return fromPixels(Buffer.from(value.replace(/^data:[^,]*,/, ""), "base64"), input);
  return numbersOf(value, input.height * input.width * input.channels, input);
};

const shapeOf = (input: FloatInput): readonly number[] => {
  if (input.kind === "image") return [input.height, input.width, input.channels];
  return input.kind === "row" ? [input.columns.length] : input.shape;
};

const stack = (rows: readonly Float32Array[], input: FloatInput): Tensor => {
  const width = rows[0]?.length ?? 0;
  const data = new Float32Array(rows.length * width);
  for (const [i, row] of rows.entries()) data.set(row, i * width);
  return { datatype: "FP32", shape: [rows.length, ...shapeOf(input)], data };
};

const parseJson = (body: Uint8Array, input: Input): readonly unknown[] => {
  const value = parsePredictionJson(body, { lossless: input.kind === "tensors" });
  const parsed = PredictRequest.safeParse(value);
  if (!parsed.success) throw wrong(`Send {"input": …} or {"inputs": [ … ]}; the model takes ${expectedOf(input)}.`);
  const inputs = "inputs" in parsed.data ? parsed.data.inputs : [parsed.data.input];
  if (inputs.length > rowsMax)
    throw wrong(`One request may hold ${rowsMax} inputs, but ${inputs.length} came. Split it.`);
  return inputs;
};

const multipartFiles = (body: Uint8Array, contentType: string): Promise<Uint8Array[]> => {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array[]>();
  const damaged = (cause: unknown): void => reject(wrong(`The multipart body is damaged: ${String(cause)}.`));
  try {
    const files: Uint8Array[] = [];
    const parser = busboy({ headers: { "content-type": contentType }, limits: { files: rowsMax } });
    parser.on("file", (_, stream) => {
      const chunks: Buffer[] = [];
      const at = files.push(new Uint8Array()) - 1;
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => (files[at] = Buffer.concat(chunks)));
    });
    parser.on("error", damaged);
    parser.on("close", () => resolve(files));
    Readable.from([body]).pipe(parser);
  } catch (error) {
    damaged(error instanceof Error ? error.message : error);
  }
  return promise;
};

/** A body for the model's one tensor of floats. */
const readTensor = async (body: Uint8Array, contentType: string, input: FloatInput): Promise<Tensor> => {
  const [type = ""] = contentType.toLowerCase().split(";");
  if (type === "application/json" || type === "") {
    return stack(await Promise.all(parseJson(body, input).map((value) => fromValue(value, input))), input);
  }
  if (input.kind === "image" && type === "multipart/form-data") {
    const files = await multipartFiles(body, contentType);
    if (files.length === 0) throw wrong("The multipart body holds no file.");
    return stack(await Promise.all(files.map((file) => fromPixels(file, input))), input);
  }
  if (input.kind === "image" && (type.startsWith("image/") || type === "application/octet-stream")) {
    return stack([await fromPixels(body, input)], input);
  }
  throw new PlatformError(
    "unsupported-media-type",
    `This model takes ${expectedOf(input)}; the content type ${type.slice(0, 80)} is none of these. Send application/json${
      input.kind === "image" ? " or the image file itself, e.g. as image/png" : ""
    }.`,
  );
};

/**
 * Brings what a user sends to the model's tensors, as the signature says.
 * @throws PlatformError `prediction-input-invalid`, `tensor-invalid`, `image-undecodable`, `malformed-json`,
 * `unsupported-media-type`.
 */
export const readPredictInput = async (
  { body, contentType }: { readonly body: Uint8Array; readonly contentType: string },
  { input }: Pick<Signature, "input">,
  model: ModelTensors,
): Promise<readonly Tensor[]> => {
  if (input.kind !== "tensors") return [await readTensor(body, contentType, input)];
  if (!/^(?:application\/json)?(?:;|$)/i.test(contentType)) {
    throw new PlatformError("unsupported-media-type", `This model takes ${expectedOf(input)}. Send application/json.`);
  }
  return takeInputs(rowInputs(parseJson(body, input), model), model);
};

type ClassesOutput = Extract<Signature["output"], { kind: "classes" }>;

/** The likeliest class of each row, and the probability of every class. */
const classesOf = (
  values: Float32Array,
  { width, output }: { readonly width: number; readonly output: ClassesOutput },
): Prediction[] => {
  const { labels } = output;
  const classes = width === 1 && labels.length === 2 ? 2 : width;
  const probabilities = classProbabilities(values, { classes, width, logits: output.scores === "logits" });
  return Array.from({ length: width === 0 ? 0 : values.length / width }, (_, row): Prediction => {
    const scores = [...probabilities.subarray(row * classes, (row + 1) * classes)];
    const best = scores.indexOf(Math.max(...scores));
    return {
      label: labels[best] ?? String(best),
      probability: scores[best] ?? Number.NaN,
      probabilities: Object.fromEntries(scores.map((score, i) => [labels[i] ?? String(i), score])),
    };
  });
};

/** The model's outputs as predictions, one per row, in words of the signature. */
export const toPredictions = (
  outputs: readonly Tensor[],
  signature: Pick<Signature, "output">,
  names: AnsweringModel["outputs"],
): Prediction[] => {
  const [output] = outputs;
  if (output === undefined) return [];
  if (signature.output.kind === "tensors") {
    return rowsJson(outputs, names).map((row) => ({ value: JSON.parse(row) as NonNullable<Prediction["value"]> }));
  }
  const rows = output.shape[0] ?? 0;
  const width = rows === 0 ? 0 : output.data.length / rows;
  const values = Float32Array.from({ length: output.data.length }, (_, i) => Number(output.data[i]));
  if (signature.output.kind === "classes") return classesOf(values, { width, output: signature.output });
  const { kind } = signature.output;
  return Array.from({ length: rows }, (_, row): Prediction => {
    const own = [...values.subarray(row * width, (row + 1) * width)];
    return { value: kind === "number" ? (own[0] ?? Number.NaN) : own };
  });
};
