import { type ErrorCode, errorCatalogue, type FieldProblem } from "@modelyard/contracts";
import type { z } from "zod";

/** What a failure may carry beyond its code and text. */
export interface PlatformErrorOptions {
  /** Fields of the input that do not fit. */
  readonly fields?: readonly z.infer<typeof FieldProblem>[];
  /** What went wrong underneath; logged, never sent. */
  readonly cause?: unknown;
  /** Seconds after which a retry is worth it. */
  readonly retryAfterSeconds?: number;
}

/**
 * A failure that callers may see: a code of the catalogue and a text for people that gives cause and way out.
 * The text must not hold paths of the server, stack traces or secrets.
 */
export class PlatformError extends Error {
  override readonly name = "PlatformError";
  readonly code: ErrorCode;
  readonly fields: readonly z.infer<typeof FieldProblem>[];
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, detail: string, options: PlatformErrorOptions = {}) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.fields = options.fields ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  /** HTTP status of the code. */
  get status(): number {
    return errorCatalogue[this.code].status;
  }
}

/** The one way to say that something does not exist, or that the caller may not know of it. */
export const notFound = (what: string): PlatformError =>
  new PlatformError("not-found", `There is no ${what} in this workspace. Check the spelling, or list what exists.`);
