import type { z } from "zod";
import { PlatformError } from "../foundation/index.ts";

/**
 * Brings unknown input into an operation's shape.
 * @param place Where it stood in the request: `params`, `query`, `body`.
 * @throws PlatformError `invalid-input` that lists every field that does not fit.
 */
export const parseInput = <S extends z.ZodType>(schema: S, input: unknown, place: string): z.output<S> => {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.slice(0, 20).map((issue) => ({
    path: [place, ...issue.path.map(String)].join("."),
    message: issue.message,
  }));
  const list = fields.map(({ path, message }) => `${path}: ${message}`).join("; ");
  throw new PlatformError(
    "invalid-input",
    `The request does not fit: ${list}. Correct these fields and send it again.`,
    {
      fields,
    },
  );
};
