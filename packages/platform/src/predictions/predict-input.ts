import { PredictRequest } from "@modelyard/contracts";
import busboy from "busboy";
import { Readable } from "node:stream";
import { PlatformError } from "../foundation/index.ts";
import type { Tensor } from "../runtimes/index.ts";
import { type ModelTensors, takeInputs } from "./inference-request.ts";
import { parsePredictionJson } from "./parse-json.ts";
import { expectedOf, type FloatInput, readImageFile, readRawInput, type ServedInput, wrongInput } from "./raw-input.ts";
import { rowInputs } from "./row-tensors.ts";

const rowsMax = 4096;

/** What came with a request. */
interface PredictBody {
  readonly body: Uint8Array;
  readonly contentType: string;
}

const stack = (rows: readonly Float32Array[], { signature }: ServedInput): Tensor => {
  const width = rows[0]?.length ?? 0;
  const data = new Float32Array(rows.length * width);
  for (const [i, row] of rows.entries()) data.set(row, i * width);
  return { datatype: "FP32", shape: [rows.length, ...(signature.tensors.inputs[0]?.shape.slice(1) ?? [width])], data };
};

const parseJson = (body: Uint8Array, { signature }: ServedInput): readonly unknown[] => {
  const value = parsePredictionJson(body, { lossless: signature.input.kind === "tensors" });
  const parsed = PredictRequest.safeParse(value);
  if (!parsed.success) {
    throw wrongInput(`Send {"input": …} or {"inputs": [ … ]}; the model takes ${expectedOf(signature.input)}.`);
  }
  const inputs = "inputs" in parsed.data ? parsed.data.inputs : [parsed.data.input];
  if (inputs.length <= rowsMax) return inputs;
  throw wrongInput(`One request may hold ${rowsMax} inputs, but ${inputs.length} came. Split it.`);
};

/** Says which of many inputs is wrong. */
const numbered = async (at: number, read: () => Promise<Float32Array>): Promise<Float32Array> => {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof PlatformError)) throw error;
    throw new PlatformError(error.code, `Input ${at}: ${error.message}`, { cause: error });
  }
};

const readJson = async (body: Uint8Array, input: FloatInput, served: ServedInput): Promise<Float32Array[]> => {
  const inputs = parseJson(body, served);
  if (inputs.length === 1) return [await readRawInput(inputs[0], input, served)];
  return Promise.all(inputs.map((value, at) => numbered(at, () => readRawInput(value, input, served))));
};

const multipartFiles = (body: Uint8Array, contentType: string): Promise<Uint8Array[]> => {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array[]>();
  const damaged = (cause: unknown): void => reject(wrongInput(`The multipart body is damaged: ${String(cause)}.`));
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
const readTensor = async (
  { body, contentType }: PredictBody,
  input: FloatInput,
  served: ServedInput,
): Promise<Tensor> => {
  const [type = ""] = contentType.toLowerCase().split(";");
  if (type === "application/json" || type === "") return stack(await readJson(body, input, served), served);
  if (input.kind === "image" && type === "multipart/form-data") {
    const files = await multipartFiles(body, contentType);
    if (files.length === 0) throw wrongInput("The multipart body holds no file.");
    return stack(await Promise.all(files.map((file) => readImageFile(file, input, served))), served);
  }
  if (input.kind === "image" && (type.startsWith("image/") || type === "application/octet-stream")) {
    return stack([await readImageFile(body, input, served)], served);
  }
  throw new PlatformError(
    "unsupported-media-type",
    `This model takes ${expectedOf(input)}; the content type ${type.slice(0, 80)} is none of these. Send application/json${
      input.kind === "image" ? " or the image file itself, e.g. as image/png" : ""
    }.`,
  );
};

/**
 * Brings what a user sends to the model's tensors, as signature and preprocessing say.
 * @throws PlatformError `prediction-input-invalid`, `tensor-invalid`, `image-undecodable`, `malformed-json`,
 * `unsupported-media-type`.
 */
export const readPredictInput = async (
  body: PredictBody,
  served: ServedInput,
  model: ModelTensors,
): Promise<readonly Tensor[]> => {
  const { input } = served.signature;
  if (input.kind !== "tensors") return [await readTensor(body, input, served)];
  if (!/^(?:application\/json)?(?:;|$)/i.test(body.contentType)) {
    throw new PlatformError("unsupported-media-type", `This model takes ${expectedOf(input)}. Send application/json.`);
  }
  return takeInputs(rowInputs(parseJson(body.body, served), model), model);
};
