import { createRequire } from "node:module";
import { LearnError } from "../errors.ts";
import type { Executor, TrainingWork } from "../training/executor.ts";
import { LaneThread } from "./lane.ts";
import { OnnxRuntimeSession } from "./session.ts";

/** Options of the executor. */
export interface OnnxRuntimeOptions {
  /**
   * Threads that a training may use; default 2. Each computes a part of every batch, of models that are worth it; small
   * ones are trained by one. Of losses that need the whole batch they work together inside one operator.
   */
  readonly threads?: number;
  /**
   * Threads that each compute a part of every training batch, whatever the model; by default chosen by its size.
   * Trainings are repeatable for an equal number; between different numbers sums round differently, and
   * BatchNormalization measures each part by itself.
   */
  readonly workers?: number;
  /** Threads inside one operator; by default what the workers leave of `threads`. */
  readonly intraOpNumThreads?: number;
  /** Let idle threads wait actively: faster for one training on its own machine, wasteful beside others. Default false. */
  readonly spinning?: boolean;
}

const mostThreads = 256;

const { version } = createRequire(import.meta.url)("onnxruntime-node/package.json") as { version: string };

const counted = (name: string, count: number): number => {
  if (Number.isInteger(count) && count >= 1 && count <= mostThreads) return count;
  throw new LearnError(
    "executor-failed",
    `The executor takes 1 to ${mostThreads} ${name}, but ${name} is ${count}. Choose no more than there are processors.`,
  );
};

/** Operations a second that one thread does in a training, measured over the networks in `bench/`. */
const operationsPerMs = 5e7;

/**
 * Whether parts of a batch pay: the time that they spare against waking a thread, and copying the weights to it and its
 * gradients back, as measured where the processors share no cache (see docs/decisions).
 */
const paysToSplit = ({ operations, weights }: TrainingWork, lanes: number): boolean => {
  const sparedMs = (operations / operationsPerMs) * (1 - 1 / lanes);
  return lanes > 1 && sparedMs > 0.6 + weights / 4e5;
};

/**
 * Runs graphs with ONNX Runtime's native build for Node. A run blocks the calling thread until it is done.
 * @throws LearnError `executor-failed` for a number of threads that makes no sense.
 */
export const onnxRuntimeExecutor = (options: OnnxRuntimeOptions = {}): Executor => {
  const { workers, intraOpNumThreads, spinning = false } = options;
  const threads = counted("threads", options.threads ?? 2);
  const most = counted("workers", workers ?? (intraOpNumThreads === undefined ? threads : 1));
  const beside = Array.from({ length: most - 1 }, () => new LaneThread());
  return {
    engine: `onnxruntime-node ${version}`,
    spread: (work) => {
      const lanes = workers !== undefined || paysToSplit(work, most) ? most : 1;
      // What is too little for two sessions is too little for two threads in one: they would wait for each other.
      return { lanes, threads: intraOpNumThreads ?? Math.max(1, Math.floor(threads / most)) };
    },
    load: (model, { lane, threads: own } = { lane: 0 }) => {
      const session = { intraOpNumThreads: intraOpNumThreads ?? own ?? threads, spinning };
      return lane === 0
        ? OnnxRuntimeSession.load(model, session)
        : (beside[lane - 1] as LaneThread).load(model, session);
    },
  };
};
