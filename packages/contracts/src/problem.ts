import { z } from "zod";

/** One field that does not fit: where it is and what is wrong. */
export const FieldProblem = z.object({
  /** Path inside the input, dot-separated, e.g. `body.epochs`. */
  path: z.string(),
  message: z.string(),
});

/** An error answer: problem details of RFC 9457 with the catalogue's code. */
export const Problem = z.object({
  /** Address of the code's page, relative to the documentation. */
  type: z.string(),
  title: z.string(),
  status: z.int(),
  /** A code of the error catalogue. */
  code: z.string(),
  /** What happened in this request: cause and way out, for people. */
  detail: z.string(),
  requestId: z.string().optional(),
  retryable: z.boolean(),
  fields: z.array(FieldProblem).optional(),
});
/** An error answer as clients see it. */
export type Problem = z.infer<typeof Problem>;
