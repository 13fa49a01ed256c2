import type { TensorSpec } from "@modelyard/contracts";
import type { Tensor } from "./tensor.ts";

/** How a model is loaded. */
export interface RuntimeOptions {
  /** Threads that one run may use. */
  readonly threads: number;
  /** Most rows that requests are joined to; one request alone may hold more. */
  readonly rowsMax: number;
}

/** A model in memory, warmed up. No more runs at a time than it has instances. */
export interface LoadedModel extends AsyncDisposable {
  /** What the graph takes, in its order. */
  readonly inputs: readonly TensorSpec[];
  /** What the graph gives, in its order. */
  readonly outputs: readonly TensorSpec[];
  /** Runs that may be made at the same time. */
  readonly instances: number;
  /** Whether requests can be joined along the first axis. */
  readonly batchable: boolean;
  /**
   * Runs requests together, each a tensor per input in the graph's order; answers are in the order of the requests.
   * Requests of one call must have equal shapes apart from the first axis; if not `batchable`, one request a call.
   * @throws PlatformError `executor-failed` when the graph cannot run on these values.
   */
  run(requests: readonly (readonly Tensor[])[]): Promise<readonly (readonly Tensor[])[]>;
}

/** Executes models of one kind. Not responsible for queues, protocols or what tensors mean. */
export interface Runtime {
  /** Name and version, for people. */
  readonly name: string;
  /**
   * Loads a graph and runs it once, so that the first request does not pay for it.
   * @throws PlatformError `onnx-invalid` when the bytes are no model that this runtime can execute.
   */
  load(graph: Uint8Array, options: RuntimeOptions): Promise<LoadedModel>;
}
