/** Codes of the failures that `learn` reports; each has a page in the platform's error catalogue. */
export type LearnErrorCode =
  | "idx-invalid"
  | "npy-invalid"
  | "csv-ragged"
  | "column-unknown"
  | "image-undecodable"
  | "split-invalid"
  | "invalid-input"
  | "preprocessing-invalid"
  | "definition-invalid"
  | "layer-unknown"
  | "layer-invalid"
  | "shape-mismatch"
  | "loss-invalid"
  | "optimizer-invalid"
  | "metric-invalid"
  | "operator-without-gradient"
  | "onnx-invalid"
  | "keras-invalid"
  | "gguf-invalid"
  | "loss-not-finite"
  | "executor-failed"
  | "checkpoint-corrupt"
  | "out-of-memory";

/**
 * A failure that a caller can cause and mend: its message says what was wrong, where, what was expected, what came,
 * and what to do next.
 */
export class LearnError extends Error {
  override readonly name = "LearnError";
  /** Stable identifier of the kind of failure. */
  readonly code: LearnErrorCode;

  constructor(code: LearnErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
