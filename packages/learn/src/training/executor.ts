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

/** What one training step costs, by which an engine decides how to spread it. */
export interface TrainingWork {
  /** Floating-point operations of a step over 32 samples. */
  readonly operations: number;
  /** Number of learnt weights. */
  readonly weights: number;
}

/** How a training is spread: sessions that each compute a part of every batch at the same time, and threads inside each. */
export interface Spread {
  readonly lanes: number;
  readonly threads: number;
}

/** Where a session runs. */
export interface Place {
  /** Beside which others it runs, from 0. */
  readonly lane: number;
  /** Threads inside it; all of them when left out. */
  readonly threads?: number | undefined;
}

/** Runs ONNX graphs: the port behind which the native engine stands. */
export interface Executor {
  /** Name and version of the engine, e.g. `onnxruntime-node 1.30.0`. */
  readonly engine: string;
  /**
   * How a training should be spread; left out, in one session. With more than one, arrays that are bound lie in shared
   * memory. Equal work gives equal numbers.
   */
  spread?(work: TrainingWork): Spread;
  /**
   * Loads an ONNX model.
   * @param place Where it is to run; alone, with all threads, by default.
   * @throws LearnError `executor-failed` when the engine refuses it.
   */
  load(model: Uint8Array, place?: Place): Promise<Session>;
}
