import { Problem } from "@modelyard/contracts";

/** A request that did not succeed, with the platform's code, cause and way out. */
export class ModelyardError extends Error {
  override readonly name = "ModelyardError";
  /** Code of the error catalogue, e.g. `not-found`. */
  readonly code: string;
  /** HTTP status; 0 when no answer came. */
  readonly status: number;
  /** Whether the same request may succeed later without a change. */
  readonly retryable: boolean;
  /** Finds the request in the platform's log. */
  readonly requestId: string | undefined;
  /** Fields of the request that do not fit. */
  readonly fields: readonly { readonly path: string; readonly message: string }[];

  constructor(problem: Pick<Problem, "code" | "status" | "detail" | "retryable"> & Partial<Problem>, cause?: unknown) {
    super(problem.detail, cause === undefined ? undefined : { cause });
    this.code = problem.code;
    this.status = problem.status;
    this.retryable = problem.retryable;
    this.requestId = problem.requestId;
    this.fields = problem.fields ?? [];
  }
}

/** The error that an answer carries; an answer that is no problem of ours says which status came. */
export const errorOf = async (response: Response): Promise<ModelyardError> => {
  const text = await response.text();
  try {
    return new ModelyardError(Problem.parse(JSON.parse(text)));
  } catch (cause) {
    const detail = `The address answered ${response.status} without a reason. Check that it is a Modelyard.`;
    return new ModelyardError({ code: "internal", status: response.status, detail, retryable: false }, cause);
  }
};

/** The error of an answer that ended before it said how things went. */
export const cutOff = (what: string): ModelyardError =>
  new ModelyardError({
    code: "server-unreachable",
    status: 0,
    detail: `The connection ended before ${what} was over. Send it again: what is there already is not made twice.`,
    retryable: true,
  });

/** The error of an address at which nobody answers. */
export const unreachable = (url: string, cause: unknown): ModelyardError =>
  new ModelyardError(
    {
      code: "server-unreachable",
      status: 0,
      detail: `No Modelyard answers at ${url}. Start it with \`modelyard up\`, or give the right address.`,
      retryable: true,
    },
    cause,
  );
