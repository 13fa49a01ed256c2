import type { ErrorCode, Problem } from "@modelyard/contracts";
import type { ProblemAnswer } from "../transport/index.ts";

/** Codes that OpenAI's clients know by another name. */
const openAiCodes: Partial<Record<ErrorCode, string>> = {
  unauthenticated: "invalid_api_key",
  "not-found": "model_not_found",
  "queue-full": "rate_limit_exceeded",
  "context-length-exceeded": "context_length_exceeded",
};

const typeOf = (status: number): string => {
  if (status === 401) return "authentication_error";
  if (status === 403) return "permission_error";
  if (status === 404) return "not_found_error";
  if (status === 429) return "rate_limit_error";
  if (status === 503) return "unavailable_error";
  return status >= 500 ? "server_error" : "invalid_request_error";
};

/** OpenAI's clients know 400 where the platform says 422. */
const statusOf = ({ status }: Problem): number => (status === 422 ? 400 : status);

/** An error in the forms of OpenAI and of the platform at once: each client reads its own members. */
export interface LanguageError {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly headers: Readonly<Record<string, string>>;
}

/** Whose form an error has. */
export type LanguageDialect = "openai" | "anthropic";

/** What a client of OpenAI's API gets for an error. `x-should-retry` and `retry-after-ms` steer its own retries. */
export const toLanguageError = (
  { problem, retryAfterSeconds }: ProblemAnswer,
  dialect: LanguageDialect,
): LanguageError => {
  const status = statusOf(problem);
  const [field] = problem.fields ?? [];
  const error = {
    message: problem.detail,
    type: typeOf(status),
    param: field?.path.replace(/^body\./, "") ?? null,
    code: openAiCodes[problem.code as ErrorCode] ?? problem.code.replaceAll("-", "_"),
  };
  const wait =
    retryAfterSeconds === undefined
      ? {}
      : { "retry-after": String(retryAfterSeconds), "retry-after-ms": String(retryAfterSeconds * 1000) };
  return {
    status,
    body: { ...problem, ...(dialect === "anthropic" ? { type: "error" } : {}), status, error },
    headers: {
      "x-should-retry": String(problem.retryable),
      ...wait,
      ...(status === 401 ? { "www-authenticate": "Bearer" } : {}),
    },
  };
};

/** The last event of a streamed answer that failed. */
export const toErrorEvent = (answer: ProblemAnswer, dialect: LanguageDialect): string => {
  const { error } = toLanguageError(answer, dialect).body;
  if (dialect === "openai") return `data: ${JSON.stringify({ error })}\n\n`;
  return `event: error\ndata: ${JSON.stringify({ type: "error", error })}\n\n`;
};
