import type { TensorDatatype, TensorSpec } from "@modelyard/contracts";
import { PlatformError } from "../foundation/index.ts";
import type { Tensor } from "../runtimes/index.ts";

/** The model as its tensors name it. */
export interface ModelTensors {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** Whether the first axis of every tensor is the row. */
  readonly batchable: boolean;
}

/** An output that the client wants, and how. */
export interface WantedOutput {
  /** Position among the model's outputs. */
  readonly index: number;
  /** As bytes behind the JSON. */
  readonly binary: boolean;
  /** The so many best classes as text instead of the values; 0 for the values. */
  readonly classes: number;
}

/** An inference request of any protocol, in the model's order, and what its answer must echo. */
export interface InferenceRequest {
  readonly id: string | undefined;
  readonly tensors: readonly Tensor[];
  readonly outputs: readonly WantedOutput[];
  /** 1 goes first; 0 stands for no wish. */
  readonly priority: number;
  /** Longest time that the request may take from its arrival; 0 for no wish. */
  readonly timeoutMs: number;
}

/** An input as a protocol brought it: names and shape are not checked yet. */
export interface WireInput {
  readonly name: string;
  readonly datatype: unknown;
  readonly shape: unknown;
  /** Makes the elements once shape and datatype are known to fit. */
  readonly read: (spec: TensorSpec, shape: readonly number[]) => Tensor["data"];
}

/** Most elements of one tensor. */
const elementsMax = 256 * 1024 * 1024;

/** A tensor that does not fit: the text says which, what was expected and what came. */
export const wrongTensor = (message: string): PlatformError => new PlatformError("tensor-invalid", message);

/** Whether a value is an object with members. */
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A shape as people read it. */
export const shapeText = (shape: readonly number[]): string => `[${shape.join(", ")}]`;

/** A short text of any value, for messages. */
export const briefly = (value: unknown): string => {
  if (Array.isArray(value))
    return value.every((item) => typeof item === "number") ? JSON.stringify(value).slice(0, 100) : "a list";
  if (typeof value === "object" && value !== null) return "an object";
  if (typeof value === "bigint") return String(value);
  return JSON.stringify(value)?.slice(0, 50) ?? "nothing";
};

const shapeOf = (shape: unknown, spec: TensorSpec): number[] => {
  const sizes: unknown[] = Array.isArray(shape) ? shape : [];
  const whole = sizes.every((size): size is number => typeof size === "number" && Number.isInteger(size) && size >= 0);
  const fits =
    sizes.length === spec.shape.length && spec.shape.every((size, axis) => size === -1 || size === sizes[axis]);
  if (Array.isArray(shape) && whole && fits) return sizes;
  throw wrongTensor(
    `Input "${spec.name}" must have the shape ${shapeText(spec.shape)} (-1: any size), but came with ` +
      `${shape === undefined ? "no shape" : briefly(shape)}.`,
  );
};

const tensorOf = (input: WireInput, spec: TensorSpec): Tensor => {
  if (input.datatype !== spec.datatype) {
    throw wrongTensor(
      `Input "${spec.name}" must have the datatype ${spec.datatype}, but came with ${briefly(input.datatype ?? null)}.`,
    );
  }
  const shape = shapeOf(input.shape, spec);
  let length = 1;
  for (const size of shape) length *= size;
  if (length > elementsMax)
    throw wrongTensor(`Input "${spec.name}" has ${length} elements, more than one request may hold.`);
  return { datatype: spec.datatype, shape, data: input.read(spec, shape) };
};

const checkRows = (tensors: readonly Tensor[], model: ModelTensors): void => {
  if (tensors.some(({ shape }) => shape.includes(0))) {
    throw wrongTensor("The request holds no rows. Send at least one.");
  }
  if (!model.batchable) return;
  const rows = tensors[0]?.shape[0];
  const other = tensors.findIndex(({ shape }) => shape[0] !== rows);
  if (other <= 0) return;
  throw wrongTensor(
    `Input "${model.inputs[other]?.name}" has ${tensors[other]?.shape[0]} rows, but "${model.inputs[0]?.name}" has ${rows}. ` +
      "Every input must have as many.",
  );
};

/**
 * Brings inputs into the model's order and checks each against its tensor.
 * @throws PlatformError `tensor-invalid` saying which input, what was expected and what came.
 */
export const takeInputs = (list: readonly WireInput[], model: ModelTensors): Tensor[] => {
  const known = (): string => model.inputs.map(({ name }) => name).join(", ");
  for (const [i, { name }] of list.entries()) {
    if (!model.inputs.some((spec) => spec.name === name))
      throw wrongTensor(`The model has no input "${name.slice(0, 100)}". Its inputs are: ${known()}.`);
    if (list.findIndex((input) => input.name === name) !== i) throw wrongTensor(`Input "${name}" came twice.`);
  }
  const tensors = model.inputs.map((spec) => {
    const input = list.find(({ name }) => name === spec.name);
    if (input !== undefined) return tensorOf(input, spec);
    throw wrongTensor(`Input "${spec.name}" (${spec.datatype} ${shapeText(spec.shape)}) is missing.`);
  });
  checkRows(tensors, model);
  return tensors;
};

/** How an output was asked for. */
export interface OutputWish {
  readonly name: unknown;
  readonly binary: boolean;
  readonly classes: number;
}

const hasNoJson = (datatype: TensorDatatype): boolean => datatype === "FP16" || datatype === "BF16";

/**
 * Finds the wanted outputs; all, in the model's order, when none is named.
 * @throws PlatformError `tensor-invalid` for names that the model does not have, and for what JSON cannot carry.
 */
export const takeOutputs = (
  wishes: readonly OutputWish[],
  model: ModelTensors,
  binaryByDefault: boolean,
): WantedOutput[] => {
  const named =
    wishes.length > 0 ? wishes : model.outputs.map(({ name }) => ({ name, binary: binaryByDefault, classes: 0 }));
  return named.map(({ name, binary, classes }, i) => {
    const index = model.outputs.findIndex((spec) => spec.name === name);
    const spec = model.outputs[index];
    if (spec === undefined) {
      const known = model.outputs.map((output) => output.name).join(", ");
      throw wrongTensor(`The model has no output ${briefly(name ?? null)}. Its outputs are: ${known}.`);
    }
    if (named.findIndex((wish) => wish.name === name) !== i)
      throw wrongTensor(`Output "${spec.name}" is asked for twice.`);
    if (hasNoJson(spec.datatype) && !binary && classes === 0) {
      throw wrongTensor(
        `Output "${spec.name}" is ${spec.datatype}, which JSON has no form for. Ask for it with the parameter binary_data: true.`,
      );
    }
    return { index, binary, classes };
  });
};
