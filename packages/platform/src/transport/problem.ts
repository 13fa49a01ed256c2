import { type ErrorCode, errorCatalogue, isErrorCode, type Problem } from "@modelyard/contracts";
import { LearnError } from "@modelyard/learn";
import { PlatformError } from "../foundation/index.ts";

/** An error answer with what its headers need. */
export interface ProblemAnswer {
  readonly problem: Problem;
  readonly retryAfterSeconds: number | undefined;
}

const known = (error: unknown): { readonly code: ErrorCode; readonly detail: string } => {
  if (error instanceof PlatformError) return { code: error.code, detail: error.message };
  // The learning engine's codes are part of the catalogue; its texts are made for users.
  if (error instanceof LearnError && isErrorCode(error.code)) return { code: error.code, detail: error.message };
  return {
    code: "internal",
    detail: "The request failed inside the platform. Its log holds the cause under this request id.",
  };
};

/** Whether a failure is the platform's own and belongs into the log. */
export const isInternal = (error: unknown): boolean => errorCatalogue[known(error).code].status === 500;

/** An error as problem details (RFC 9457): never a stack trace, a path or an unknown error's text. */
export const problemOf = (error: unknown, requestId: string): ProblemAnswer => {
  const { code, detail } = known(error);
  const { status, title, retryable } = errorCatalogue[code];
  const fields = error instanceof PlatformError && error.fields.length > 0 ? { fields: [...error.fields] } : {};
  return {
    problem: { type: `errors/${code}.md`, title, status, code, detail, requestId, retryable, ...fields },
    retryAfterSeconds: error instanceof PlatformError ? error.retryAfterSeconds : undefined,
  };
};
