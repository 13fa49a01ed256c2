import type { TensorDatatype, TensorSpec } from "@modelyard/contracts";
import * as ort from "onnxruntime-node";
import { PlatformError } from "../foundation/index.ts";
import type { LoadedModel, Runtime, RuntimeOptions } from "./runtime.ts";
import { concatenate, elementsOf, isTexts, splitRows, type Tensor, type TensorElements, zeros } from "./tensor.ts";

const ortTypes = {
  BOOL: "bool",
  UINT8: "uint8",
  UINT16: "uint16",
  UINT32: "uint32",
  UINT64: "uint64",
  INT8: "int8",
  INT16: "int16",
  INT32: "int32",
  INT64: "int64",
  FP16: "float16",
  FP32: "float32",
  FP64: "float64",
  BYTES: "string",
} as const satisfies Record<Exclude<TensorDatatype, "BF16">, string>;
const datatypes: Readonly<Record<string, TensorDatatype>> = Object.fromEntries(
  Object.entries(ortTypes).map(([datatype, type]) => [type, datatype as TensorDatatype]),
);

const specOf = (value: ort.InferenceSession.ValueMetadata, role: "input" | "output"): TensorSpec => {
  const datatype = value.isTensor ? datatypes[value.type] : undefined;
  if (!value.isTensor || datatype === undefined) {
    throw new PlatformError(
      "onnx-invalid",
      `The ${role} "${value.name}" is ${value.isTensor ? `a tensor of ${value.type}` : "not a tensor"}. ` +
        `Served are tensors of ${Object.keys(datatypes).join(", ")}; export the model with such tensors.`,
    );
  }
  const shape = value.shape.map((size) => (typeof size === "number" && size >= 0 ? size : -1));
  return { name: value.name, datatype, shape };
};

const toOrt = ({ datatype, data, shape }: Tensor): ort.Tensor => {
  // A graph with such a tensor is refused when it is loaded.
  if (datatype === "BF16") throw new PlatformError("tensor-invalid", "ONNX Runtime takes no BF16 tensors from Node.");
  if (isTexts(data) && data.some((text) => text.includes("\0"))) {
    throw new PlatformError(
      "tensor-invalid",
      "A text holds the character U+0000, at which the engine would cut it off.",
    );
  }
  const tensor = new ort.Tensor(ortTypes[datatype], data, shape);
  // Where JavaScript has half-precision arrays a tensor turns into one, but the engine's native part reads only the 16 bits.
  if (datatype === "FP16") Reflect.set(tensor, "cpuData", data);
  return tensor;
};

const fromOrt = (tensor: ort.Tensor, datatype: TensorDatatype): Tensor => {
  const data = tensor.data as TensorElements;
  const { dims: shape } = tensor;
  // Where JavaScript has half-precision arrays the engine gives those; the wire wants the 16 bits.
  if (datatype !== "FP16" || isTexts(data)) return { datatype, shape, data };
  return { datatype, shape, data: new Uint16Array(data.buffer as ArrayBuffer, data.byteOffset, data.length) };
};

const firstLine = (error: unknown): string => (error instanceof Error ? (error.message.split("\n")[0] ?? "") : "");

class OnnxModel implements LoadedModel {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly instances: number = 1;
  #batchable: boolean;
  readonly #session: ort.InferenceSession;
  /** Room to join requests in, one per input; grown to the largest batch seen. */
  readonly #room: TensorElements[];

  constructor(session: ort.InferenceSession, rowsMax: number) {
    this.#session = session;
    this.inputs = session.inputMetadata.map((value) => specOf(value, "input"));
    this.outputs = session.outputMetadata.map((value) => specOf(value, "output"));
    this.#batchable = [...this.inputs, ...this.outputs].every(({ shape }) => shape[0] === -1);
    this.#room = this.inputs.map(({ datatype, shape }) => {
      const perRow = elementsOf(shape.slice(1).map((size) => Math.max(size, 0)));
      return zeros(datatype, this.batchable && datatype !== "BYTES" ? perRow * rowsMax : 0);
    });
  }

  get batchable(): boolean {
    return this.#batchable;
  }

  async run(requests: readonly (readonly Tensor[])[]): Promise<readonly (readonly Tensor[])[]> {
    const [first] = requests;
    if (first === undefined) return [];
    if (requests.length === 1) return [await this.#runOne(first)];
    const rows = requests.map((request) => request[0]?.shape[0] ?? 1);
    const total = rows.reduce((sum, count) => sum + count, 0);
    const joined = this.inputs.map((_, i) =>
      concatenate(
        requests.map((request) => request[i] as Tensor),
        this.#room[i],
      ),
    );
    const outputs = await this.#runOne(joined);
    if (outputs.some((output) => output.shape[0] !== total)) {
      // The graph says that its first axis is free, yet it is not the batch: no request may see another's answer.
      throw new PlatformError("executor-failed", "The model's outputs do not keep one row per input row.");
    }
    const parts = outputs.map((output) => splitRows(output, rows));
    return requests.map((_, r) => parts.map((part) => part[r] as Tensor));
  }

  async #runOne(request: readonly Tensor[]): Promise<readonly Tensor[]> {
    const feeds: Record<string, ort.Tensor> = {};
    for (let i = 0; i < this.inputs.length; i++) {
      feeds[(this.inputs[i] as TensorSpec).name] = toOrt(request[i] as Tensor);
    }
    try {
      const answer = await this.#session.run(feeds);
      return this.outputs.map(({ name, datatype }) => fromOrt(answer[name] as ort.Tensor, datatype));
    } catch (error) {
      throw new PlatformError("executor-failed", `The model could not run on this input: ${firstLine(error)}`, {
        cause: error,
      });
    }
  }

  /** Runs zeros of the smallest and the largest batch, so that memory is planned before the first request. */
  async warmUp(rowsMax: number): Promise<void> {
    const open = this.inputs.some(({ shape, datatype }) => datatype === "BYTES" || shape.slice(1).includes(-1));
    if (open) return;
    for (const rows of this.batchable ? [1, rowsMax, 1] : [1]) {
      const request = this.inputs.map(({ datatype, shape }): Tensor => {
        const full = shape.map((size, axis) => (size === -1 && axis === 0 ? rows : size));
        return { datatype, shape: full, data: zeros(datatype, elementsOf(full)) };
      });
      const outputs = await this.#runOne(request);
      // A free first axis that does not follow the rows is something else than the batch.
      if (outputs.some((output) => output.shape[0] !== rows)) this.#batchable = false;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session.release();
  }
}

const createSession = async (graph: Uint8Array, options: RuntimeOptions): Promise<ort.InferenceSession> => {
  try {
    return await ort.InferenceSession.create(graph, {
      intraOpNumThreads: options.threads,
      interOpNumThreads: 1,
      executionMode: "sequential",
      graphOptimizationLevel: "all",
      logSeverityLevel: 3,
      // Idle threads must not burn the cores that the other replicas need.
      extra: { session: { intra_op: { allow_spinning: "0" }, inter_op: { allow_spinning: "0" } } },
    });
  } catch (error) {
    throw new PlatformError(
      "onnx-invalid",
      `ONNX Runtime cannot load the graph: ${firstLine(error)}. Export the model again, with operators that it knows.`,
      { cause: error },
    );
  }
};

/** Executes ONNX graphs with ONNX Runtime on the CPU. A run blocks its thread: never in a process with public sockets. */
export const onnxRuntime: Runtime = {
  name: `onnxruntime ${ort.env.versions.node ?? ""}`.trim(),
  load: async (graph, options) => {
    const session = await createSession(graph, options);
    try {
      const model = new OnnxModel(session, options.rowsMax);
      await model.warmUp(options.rowsMax);
      return model;
    } catch (error) {
      await session.release();
      throw error;
    }
  },
};
