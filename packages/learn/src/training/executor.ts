/** Element types that a session takes and gives. */
export type ArrayValue = Float32Array | Int32Array | BigInt64Array | Uint8Array | Float64Array;

/** A tensor at the border of a session: row-major values with their shape. */
export interface TensorData {
  readonly dtype: "float32" | "float64" | "int32" | "int64" | "uint8" | "bool";
  readonly shape: readonly number[];
  readonly values: ArrayValue;
}

/** Inputs and outputs that stay in place: each run reads and writes the same arrays. */
export interface Binding {
  /** Runs the graph once. */
  run(): Promise<void>;
}

/** A loaded graph. */
export interface Session extends AsyncDisposable {
  /** Binds inputs and outputs to arrays, which a run then reads and writes without a copy where the engine can. */
  bind(inputs: Readonly<Record<string, TensorData>>, outputs: Readonly<Record<string, TensorData>>): Binding;
  /** Runs the graph on inputs and returns the outputs in fresh arrays. */
  run(inputs: Readonly<Record<string, TensorData>>): Promise<Readonly<Record<string, TensorData>>>;
}

/** Runs ONNX graphs: the port behind which the native engine stands. */
export interface Executor {
  /** Name and version of the engine, e.g. `onnxruntime-node 1.30.0`. */
  readonly engine: string;
  /**
   * Sessions that can run at the same time, each on a lane of its own; default 1. With more than one, arrays that are
   * bound lie in shared memory.
   */
  readonly lanes?: number;
  /**
   * Loads an ONNX model.
   * @param lane Where it is to run, from 0; default 0.
   * @throws LearnError `executor-failed` when the engine refuses it.
   */
  load(model: Uint8Array, lane?: number): Promise<Session>;
}
