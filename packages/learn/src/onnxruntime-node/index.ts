import { createRequire } from "node:module";
import { LearnError } from "../errors.ts";
import type { Executor } from "../training/executor.ts";
import { Lane } from "./lane.ts";
import { OnnxRuntimeSession } from "./session.ts";

/** Options of the executor. */
export interface OnnxRuntimeOptions {
  /**
   * Threads that each compute a part of every training batch; default 1. Two of them are faster than two threads inside
   * one operator. Trainings are repeatable for an equal number; between different numbers sums round differently, and
   * BatchNormalization measures each part by itself.
   */
  readonly workers?: number;
  /** Threads inside one operator; default 2, or 1 with several workers. */
  readonly intraOpNumThreads?: number;
  /** Let idle threads wait actively: faster for one training on its own machine, wasteful beside others. Default false. */
  readonly spinning?: boolean;
}

const mostWorkers = 64;

const { version } = createRequire(import.meta.url)("onnxruntime-node/package.json") as { version: string };

/**
 * Runs graphs with ONNX Runtime's native build for Node. A run blocks the calling thread until it is done.
 * @throws LearnError `executor-failed` for a number of workers that makes no sense.
 */
export const onnxRuntimeExecutor = (options: OnnxRuntimeOptions = {}): Executor => {
  const { workers = 1 } = options;
  if (!Number.isInteger(workers) || workers < 1 || workers > mostWorkers) {
    const message = `The executor takes 1 to ${mostWorkers} workers, but workers is ${workers}. Choose no more than there are processors.`;
    throw new LearnError("executor-failed", message);
  }
  const lanes = Array.from({ length: workers - 1 }, () => new Lane());
  const sessionOptions = {
    intraOpNumThreads: options.intraOpNumThreads ?? (workers > 1 ? 1 : 2),
    spinning: options.spinning ?? false,
  };
  return {
    engine: `onnxruntime-node ${version}`,
    lanes: workers,
    load: (model, lane = 0) => {
      const thread = lane === 0 ? undefined : lanes[lane - 1];
      return thread === undefined ? OnnxRuntimeSession.load(model, sessionOptions) : thread.load(model, sessionOptions);
    },
  };
};
