import * as ort from "onnxruntime-node";
import { LearnError } from "../errors.ts";
import type { ArrayValue, Binding, Session, TensorData } from "../training/executor.ts";

/** How sessions run. */
export interface SessionOptions {
  /** Threads inside one operator. */
  readonly intraOpNumThreads: number;
  /** Whether idle threads wait actively. */
  readonly spinning: boolean;
}

type Arrays = Readonly<Record<string, TensorData>>;

const isShared = ({ values }: TensorData): boolean => values.buffer instanceof SharedArrayBuffer;

/** ONNX Runtime's binding refuses arrays in shared memory. */
const privateCopy = (values: ArrayValue): ArrayValue => values.slice();

const toTensor = ({ dtype, shape, values }: TensorData): ort.Tensor =>
  // The constructor's overloads are per element type; the pair (dtype, values) is right by construction.
  new ort.Tensor(dtype as "float32", values as Float32Array<ArrayBuffer>, [...shape]);

const toTensors = (data: Arrays): Record<string, ort.Tensor> =>
  Object.fromEntries(Object.entries(data).map(([name, value]) => [name, toTensor(value)]));

const unshared = (data: TensorData): TensorData =>
  isShared(data) ? { ...data, values: privateCopy(data.values) } : data;

const failed = (what: string, cause: unknown): LearnError => {
  const message = cause instanceof Error ? cause.message.split("\n")[0] : String(cause);
  return new LearnError("executor-failed", `ONNX Runtime ${what}: ${message ?? "no reason given"}`, { cause });
};

/**
 * Gives the memory of a run's results back at once. Left to the garbage collector, megabytes a step would start it every
 * few dozen steps, which takes a tenth of the time and disturbs the other threads.
 */
const release = (results: Readonly<Record<string, ort.Tensor>>): void => {
  for (const { data } of Object.values(results)) (data as Float32Array<ArrayBuffer>).buffer.transfer(0);
};

/** Reads and writes the bound arrays in place. */
const bindInPlace = (session: ort.InferenceSession, inputs: Arrays, outputs: Arrays): Binding => {
  const feeds = toTensors(inputs);
  const fetches = toTensors(outputs);
  return {
    // What the call returns is a second copy of the outputs.
    run: async () => release(await session.run(feeds, fetches)),
  };
};

/** Copies shared arrays in before a run and out after it. */
const bindCopies = (session: ort.InferenceSession, inputs: Arrays, outputs: Arrays): Binding => {
  const copies = Object.entries(inputs).map(([name, input]) => ({ name, input, own: unshared(input) }));
  const feeds = toTensors(Object.fromEntries(copies.map(({ name, own }) => [name, own])));
  return {
    run: async () => {
      for (const { input, own } of copies) if (own !== input) own.values.set(input.values as never);
      const results = await session.run(feeds);
      for (const [name, { values }] of Object.entries(outputs)) values.set(results[name]?.data as never);
      release(results);
    },
  };
};

/** A graph loaded in this thread, which its runs block until they are done. */
export class OnnxRuntimeSession implements Session {
  readonly #session: ort.InferenceSession;

  /** @throws LearnError `executor-failed` when ONNX Runtime refuses the graph. */
  static async load(model: Uint8Array, options: SessionOptions): Promise<OnnxRuntimeSession> {
    try {
      const session = await ort.InferenceSession.create(model, {
        intraOpNumThreads: options.intraOpNumThreads,
        interOpNumThreads: 1,
        graphOptimizationLevel: "all",
        logSeverityLevel: 3,
        extra: { session: { intra_op: { allow_spinning: options.spinning ? "1" : "0" } } },
      });
      return new OnnxRuntimeSession(session);
    } catch (cause) {
      throw failed("refused the graph", cause);
    }
  }

  private constructor(session: ort.InferenceSession) {
    this.#session = session;
  }

  bind(inputs: Arrays, outputs: Arrays): Binding {
    const shared = [...Object.values(inputs), ...Object.values(outputs)].some(isShared);
    const binding = (shared ? bindCopies : bindInPlace)(this.#session, inputs, outputs);
    return {
      run: async () => {
        try {
          await binding.run();
        } catch (cause) {
          throw failed("could not run the graph", cause);
        }
      },
    };
  }

  async run(inputs: Arrays): Promise<Arrays> {
    const own = Object.fromEntries(Object.entries(inputs).map(([name, data]) => [name, unshared(data)]));
    try {
      const results = await this.#session.run(toTensors(own));
      return Object.fromEntries(
        Object.entries(results).map(([name, tensor]) => [
          name,
          { dtype: tensor.type as TensorData["dtype"], shape: tensor.dims, values: tensor.data as ArrayValue },
        ]),
      );
    } catch (cause) {
      throw failed("could not run the graph", cause);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session.release();
  }
}
