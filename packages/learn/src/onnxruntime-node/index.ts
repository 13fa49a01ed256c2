import { createRequire } from "node:module";
import * as ort from "onnxruntime-node";
import { LearnError } from "../errors.ts";
import type { ArrayValue, Binding, Executor, Session, TensorData } from "../training/executor.ts";

/** Options of the executor. */
export interface OnnxRuntimeOptions {
  /** Threads inside one operator; default 2. */
  readonly intraOpNumThreads?: number;
  /** Let idle threads wait actively: faster for one training on its own machine, wasteful beside others. Default false. */
  readonly spinning?: boolean;
}

const toTensor = ({ dtype, shape, values }: TensorData): ort.Tensor =>
  // The constructor's overloads are per element type; the pair (dtype, values) is right by construction.
  new ort.Tensor(dtype as "float32", values as Float32Array<ArrayBuffer>, [...shape]);

const toTensors = (data: Readonly<Record<string, TensorData>>): Record<string, ort.Tensor> =>
  Object.fromEntries(Object.entries(data).map(([name, value]) => [name, toTensor(value)]));

const failed = (what: string, cause: unknown): LearnError => {
  const message = cause instanceof Error ? cause.message.split("\n")[0] : String(cause);
  return new LearnError("executor-failed", `ONNX Runtime ${what}: ${message ?? "no reason given"}`, { cause });
};

class OnnxRuntimeSession implements Session {
  readonly #session: ort.InferenceSession;

  constructor(session: ort.InferenceSession) {
    this.#session = session;
  }

  bind(inputs: Readonly<Record<string, TensorData>>, outputs: Readonly<Record<string, TensorData>>): Binding {
    const feeds = toTensors(inputs);
    const fetches = toTensors(outputs);
    return {
      run: async () => {
        try {
          // Preallocated outputs are written in place; what the call returns is a second copy and is ignored.
          await this.#session.run(feeds, fetches);
        } catch (cause) {
          throw failed("could not run the graph", cause);
        }
      },
    };
  }

  async run(inputs: Readonly<Record<string, TensorData>>): Promise<Readonly<Record<string, TensorData>>> {
    try {
      const results = await this.#session.run(toTensors(inputs));
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

const { version } = createRequire(import.meta.url)("onnxruntime-node/package.json") as { version: string };

/** Runs graphs with ONNX Runtime's native build for Node. A run blocks the calling thread until it is done. */
export const onnxRuntimeExecutor = (options: OnnxRuntimeOptions = {}): Executor => ({
  engine: `onnxruntime-node ${version}`,
  load: async (model) => {
    try {
      const session = await ort.InferenceSession.create(model, {
        intraOpNumThreads: options.intraOpNumThreads ?? 2,
        interOpNumThreads: 1,
        graphOptimizationLevel: "all",
        logSeverityLevel: 3,
        extra: { session: { intra_op: { allow_spinning: options.spinning ? "1" : "0" } } },
      });
      return new OnnxRuntimeSession(session);
    } catch (cause) {
      throw failed("refused the graph", cause);
    }
  },
});
