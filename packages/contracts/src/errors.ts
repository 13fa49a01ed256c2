/**
 * The error catalogue: every failure a user can cause or meet, as data.
 * Each code has a page in `docs/errors/<code>.md` and is thrown somewhere; tests prove both.
 */

/** How one kind of failure is shown on each wire. */
export interface ErrorKind {
  /** HTTP status of the problem+json answer. */
  readonly status: number;
  /** Name of the canonical gRPC status code. */
  readonly grpc: string;
  /** One line for people; never holds data of the request. */
  readonly title: string;
  /** Whether the same request may succeed later without a change. */
  readonly retryable: boolean;
}

const kind = (status: number, grpc: string, title: string): ErrorKind => ({ status, grpc, title, retryable: false });
const passing = (status: number, grpc: string, title: string): ErrorKind => ({ status, grpc, title, retryable: true });
const invalid = (title: string): ErrorKind => kind(422, "INVALID_ARGUMENT", title);

/** Every error of the platform by its code. */
export const errorCatalogue = {
  // Requests
  "malformed-json": kind(400, "INVALID_ARGUMENT", "The body is not valid JSON"),
  "invalid-input": invalid("The request does not fit the operation's schema"),
  unauthenticated: kind(401, "UNAUTHENTICATED", "No valid API key came with the request"),
  forbidden: kind(403, "PERMISSION_DENIED", "The API key lacks the scope of this operation"),
  "host-not-allowed": kind(
    403,
    "PERMISSION_DENIED",
    "The request was meant for another host, or comes from another site",
  ),
  "not-found": kind(404, "NOT_FOUND", "There is no such thing here"),
  "method-not-allowed": kind(405, "UNIMPLEMENTED", "The path does not take this method"),
  "quota-exceeded": kind(403, "RESOURCE_EXHAUSTED", "The workspace's quota is used up"),
  "already-exists": kind(409, "ALREADY_EXISTS", "The name is taken"),
  "idempotency-key-reused": invalid("The Idempotency-Key came with another request before"),
  "payload-too-large": kind(413, "RESOURCE_EXHAUSTED", "The body is larger than the limit"),
  "unsupported-media-type": kind(415, "INVALID_ARGUMENT", "The content type is not accepted here"),
  internal: kind(500, "INTERNAL", "The platform failed; the request id finds the cause in the log"),
  "control-plane-unavailable": passing(503, "UNAVAILABLE", "The control plane is restarting"),
  "deadline-exceeded": passing(504, "DEADLINE_EXCEEDED", "The answer took longer than allowed"),

  // Datasets
  "idx-invalid": invalid("The file is not a valid IDX file"),
  "npy-invalid": invalid("The file is not a valid NumPy .npy file"),
  "gzip-invalid": invalid("The gzip stream is damaged or truncated"),
  "csv-ragged": invalid("A CSV row has another number of fields than the header"),
  "csv-invalid": invalid("The file is not valid CSV"),
  "column-unknown": invalid("The data has no such column"),
  "image-undecodable": invalid("The image does not decode"),
  "dataset-empty": invalid("The import holds no rows"),
  "dataset-mismatch": invalid("The files of the import do not fit each other"),
  "split-invalid": invalid("The split cannot be made"),

  // Definitions and training
  "definition-invalid": invalid("The model definition is not valid"),
  "preprocessing-invalid": invalid("A preprocessing step does not fit the data"),
  "layer-unknown": invalid("The definition names a layer that does not exist"),
  "layer-invalid": invalid("An argument of a layer is not valid"),
  "shape-mismatch": invalid("Shapes do not fit each other"),
  "loss-invalid": invalid("The loss is unknown or does not fit the model"),
  "optimizer-invalid": invalid("The optimizer or its arguments are not valid"),
  "metric-invalid": invalid("The metric is unknown or does not fit the model"),
  "operator-without-gradient": invalid("An operator of the graph has no gradient rule"),
  "onnx-invalid": invalid("The ONNX model is not valid"),
  "keras-invalid": invalid("The Keras file cannot be imported"),
  "loss-not-finite": kind(500, "ABORTED", "The loss became NaN or infinite and the run stopped"),
  "executor-failed": kind(500, "INTERNAL", "The execution engine could not run the graph"),
  "out-of-memory": kind(507, "RESOURCE_EXHAUSTED", "The training needs more memory than allowed"),

  // Runs
  "run-state-conflict": kind(409, "FAILED_PRECONDITION", "The run is not in a state that allows this"),
  "run-not-resumable": kind(409, "FAILED_PRECONDITION", "The run has no usable checkpoint"),
  "checkpoint-corrupt": kind(500, "DATA_LOSS", "A checkpoint does not match its digest"),
  "trainer-crashed": kind(500, "INTERNAL", "The training process ended unexpectedly"),

  // Models
  "artefact-corrupt": kind(500, "DATA_LOSS", "A stored file does not match its digest"),
  "alias-invalid": invalid("The alias name is reserved or not valid"),
  "gguf-invalid": invalid("The file is not a valid GGUF language model"),

  // Endpoints and predictions
  "endpoint-not-ready": passing(503, "UNAVAILABLE", "No replica of the endpoint is ready"),
  "replica-failed": passing(503, "UNAVAILABLE", "The replica ended before it answered"),
  "queue-full": passing(429, "RESOURCE_EXHAUSTED", "The endpoint's queue is full"),
  "deadline-unreachable": passing(429, "RESOURCE_EXHAUSTED", "The request would miss its deadline in the queue"),
  "tensor-invalid": invalid("An input tensor does not fit the model"),
  "prediction-input-invalid": invalid("The input does not fit the model's signature"),
  "not-supported": invalid("The model behind the endpoint does not do this"),
  "context-length-exceeded": kind(400, "INVALID_ARGUMENT", "Prompt and answer are longer than the model's context"),
  "prompt-invalid": invalid("The prompt, chat template, schema or tool cannot be used"),

  // Operation of the platform
  "config-invalid": kind(500, "FAILED_PRECONDITION", "The configuration is not valid"),
  "port-in-use": kind(500, "FAILED_PRECONDITION", "The port is in use by another program"),
  "data-directory-in-use": kind(500, "FAILED_PRECONDITION", "Another Modelyard uses this data directory"),
  "store-newer": kind(500, "FAILED_PRECONDITION", "The data was written by a newer Modelyard"),
  "backup-invalid": kind(500, "DATA_LOSS", "The backup is not whole"),
  "disk-full": passing(507, "RESOURCE_EXHAUSTED", "The disk is full"),

  // Command line
  usage: kind(400, "INVALID_ARGUMENT", "The command line is not valid"),
  "file-unreadable": kind(400, "INVALID_ARGUMENT", "A local file cannot be read"),
  "server-unreachable": passing(503, "UNAVAILABLE", "No Modelyard answers at the address"),
  "key-missing": kind(401, "UNAUTHENTICATED", "No API key was found on this machine"),
} as const satisfies Record<string, ErrorKind>;

/** A code of the catalogue. */
export type ErrorCode = keyof typeof errorCatalogue;

/** Whether a string is a code of the catalogue. */
export const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(errorCatalogue, code);
