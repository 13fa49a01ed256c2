import type { TensorDatatype, TensorSpec } from "@modelyard/contracts";
import { PlatformError } from "../foundation/index.ts";
import { elementsOf, type Tensor, type TensorElements, zeros } from "../runtimes/index.ts";

/** An inference request in the model's order, and what its answer must echo. */
export interface InferenceRequest {
  readonly id: string | undefined;
  readonly tensors: readonly Tensor[];
  /** Names of the wanted outputs; `null` for all. */
  readonly outputs: readonly string[] | null;
}

/** The model as its tensors name it. */
export interface ModelTensors {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
}

const wrong = (message: string): PlatformError => new PlatformError("tensor-invalid", message);

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const shapeText = (shape: readonly number[]): string => `[${shape.join(", ")}]`;

const shapeOf = (input: Record<string, unknown>, spec: TensorSpec): number[] => {
  const { shape } = input;
  const sizes: unknown[] = Array.isArray(shape) ? shape : [];
  const whole = sizes.every((size): size is number => typeof size === "number" && Number.isInteger(size) && size >= 0);
  const fits =
    sizes.length === spec.shape.length && spec.shape.every((size, axis) => size === -1 || size === sizes[axis]);
  if (Array.isArray(shape) && whole && fits) return sizes;
  throw wrong(
    `Input "${spec.name}" must have the shape ${shapeText(spec.shape)} (-1: any size), but came with ` +
      `${Array.isArray(shape) ? JSON.stringify(shape).slice(0, 100) : "no shape"}.`,
  );
};

/** Fills elements from nested or flat data; tells how many came. */
const fill = (data: readonly unknown[], out: TensorElements, take: (value: unknown, at: number) => void): number => {
  let at = 0;
  const walk = (values: readonly unknown[]): void => {
    for (const value of values) {
      if (Array.isArray(value)) walk(value);
      else {
        if (at < out.length) take(value, at);
        at++;
      }
    }
  };
  walk(data);
  return at;
};

const takers: Readonly<
  Record<
    TensorDatatype,
    { readonly expected: string; readonly write: (out: never, at: number, value: unknown) => boolean }
  >
> = {
  FP32: {
    expected: "numbers",
    write: (out: Float32Array, at, value) => typeof value === "number" && ((out[at] = value), true),
  },
  FP64: {
    expected: "numbers",
    write: (out: Float64Array, at, value) => typeof value === "number" && ((out[at] = value), true),
  },
  INT32: {
    expected: "whole numbers of 32 bits",
    write: (out: Int32Array, at, value) => Number.isInteger(value) && ((out[at] = value as number), out[at] === value),
  },
  INT64: {
    expected: "whole numbers that JSON can hold exactly",
    write: (out: BigInt64Array, at, value) =>
      Number.isSafeInteger(value) && ((out[at] = BigInt(value as number)), true),
  },
  UINT8: {
    expected: "whole numbers from 0 to 255",
    write: (out: Uint8Array, at, value) => Number.isInteger(value) && ((out[at] = value as number), out[at] === value),
  },
  BOOL: {
    expected: "true or false",
    write: (out: Uint8Array, at, value) => typeof value === "boolean" && ((out[at] = value ? 1 : 0), true),
  },
  BYTES: {
    expected: "texts",
    write: (out: string[], at, value) => typeof value === "string" && ((out[at] = value), true),
  },
};

const tensorOf = (input: Record<string, unknown>, spec: TensorSpec): Tensor => {
  if (input["datatype"] !== spec.datatype) {
    throw wrong(
      `Input "${spec.name}" must have the datatype ${spec.datatype}, but came with ${JSON.stringify(input["datatype"] ?? null)}.`,
    );
  }
  const shape = shapeOf(input, spec);
  const length = elementsOf(shape);
  const given = input["data"];
  if (!Array.isArray(given)) throw wrong(`Input "${spec.name}" has no array \`data\`. Give its values row by row.`);
  // Checked before memory is taken: a shape alone must not claim any.
  if (length > 16 * 1024 * 1024)
    throw wrong(`Input "${spec.name}" has ${length} elements, more than one request may hold.`);
  const data = zeros(spec.datatype, length);
  const { expected, write } = takers[spec.datatype];
  const count = fill(given, data, (value, at) => {
    if (!write(data as never, at, value)) {
      throw wrong(
        `Input "${spec.name}" holds ${JSON.stringify(value)?.slice(0, 50) ?? "nothing"} at position ${at}, where ${spec.datatype} takes ${expected}.`,
      );
    }
  });
  if (count !== length) {
    throw wrong(`Input "${spec.name}" of shape ${shapeText(shape)} needs ${length} values, but ${count} came.`);
  }
  return { datatype: spec.datatype, shape, data };
};

const inputsOf = (list: readonly unknown[], specs: readonly TensorSpec[]): Tensor[] => {
  const known = specs.map(({ name }) => name);
  const byName = new Map<string, Record<string, unknown>>();
  for (const input of list) {
    const name = isObject(input) ? input["name"] : undefined;
    if (!isObject(input) || typeof name !== "string") throw wrong("Every input needs a `name`.");
    if (!known.includes(name))
      throw wrong(`The model has no input "${name.slice(0, 100)}". Its inputs are: ${known.join(", ")}.`);
    if (byName.has(name)) throw wrong(`Input "${name}" came twice.`);
    byName.set(name, input);
  }
  return specs.map((spec) => {
    const input = byName.get(spec.name);
    if (input === undefined)
      throw wrong(`Input "${spec.name}" (${spec.datatype} ${shapeText(spec.shape)}) is missing.`);
    return tensorOf(input, spec);
  });
};

const outputsOf = (list: unknown, specs: readonly TensorSpec[]): string[] | null => {
  if (list === undefined) return null;
  const known = specs.map(({ name }) => name);
  const names = Array.isArray(list) ? list.map((output: unknown) => (isObject(output) ? output["name"] : null)) : [];
  const unknown = names.find((name) => typeof name !== "string" || !known.includes(name));
  if (!Array.isArray(list) || unknown !== undefined) {
    throw wrong(`The model has no output ${JSON.stringify(unknown ?? null)}. Its outputs are: ${known.join(", ")}.`);
  }
  return names as string[];
};

/**
 * Reads the JSON form of the Open Inference Protocol v2.
 * @throws PlatformError `malformed-json`; `tensor-invalid` saying which input, what was expected and what came.
 */
export const readInferenceRequest = (body: Uint8Array, model: ModelTensors): InferenceRequest => {
  let request: unknown;
  try {
    request = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8"));
  } catch (cause) {
    throw new PlatformError("malformed-json", "The body is not valid JSON. Mend it and send it again.", { cause });
  }
  if (!isObject(request) || !Array.isArray(request["inputs"]) || request["inputs"].length === 0) {
    throw wrong("The request needs `inputs`: a list of tensors with name, shape, datatype and data.");
  }
  const { id } = request;
  if (id !== undefined && typeof id !== "string") throw wrong("The request's `id` must be a text.");
  return {
    id,
    tensors: inputsOf(request["inputs"], model.inputs),
    outputs: outputsOf(request["outputs"], model.outputs),
  };
};

const jsonData = ({ datatype, data }: Tensor): string => {
  if (datatype === "INT64") return `[${Array.from(data as BigInt64Array, String).join(",")}]`;
  if (datatype === "BOOL") return JSON.stringify(Array.from(data as Uint8Array, (value) => value !== 0));
  return JSON.stringify(Array.from(data as Float32Array));
};

/** Writes the JSON answer; values that JSON lacks (NaN, infinities) come as null. */
export const writeInferenceResponse = (
  request: Pick<InferenceRequest, "id" | "outputs">,
  outputs: readonly { readonly name: string; readonly tensor: Tensor }[],
  model: { readonly name: string; readonly version: number },
): Uint8Array => {
  const wanted = request.outputs === null ? outputs : outputs.filter(({ name }) => request.outputs?.includes(name));
  const list = wanted.map(
    ({ name, tensor }) =>
      `{"name":${JSON.stringify(name)},"datatype":"${tensor.datatype}","shape":${JSON.stringify(tensor.shape)},"data":${jsonData(tensor)}}`,
  );
  const id = request.id === undefined ? "" : `,"id":${JSON.stringify(request.id)}`;
  return Buffer.from(
    `{"model_name":${JSON.stringify(model.name)},"model_version":"${model.version}"${id},"outputs":[${list.join(",")}]}`,
  );
};
