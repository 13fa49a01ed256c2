import { isErrorCode } from "@modelyard/contracts";
import { PlatformError } from "../foundation/index.ts";

const exitCode = 1;

/**
 * Runs the work of a process. A failure ends it, and the last line that it writes says why: `error[code]: detail`.
 * The line is how a supervisor, which sees no exceptions of others, learns the reason.
 */
export const runProcess = async (work: () => Promise<void>): Promise<void> => {
  try {
    await work();
  } catch (error) {
    const known = error instanceof PlatformError;
    if (!known && error instanceof Error) process.stderr.write(`${error.stack ?? ""}\n`);
    const detail = (error instanceof Error ? error.message : String(error)).replaceAll("\n", " ");
    process.stderr.write(`error[${known ? error.code : "internal"}]: ${detail}\n`);
    process.exit(exitCode);
  }
};

/** The failure that a process's last line tells of. */
export const failureOfLine = (name: string, line: string | null): PlatformError => {
  const [, code = "internal", detail = line ?? "no reason given"] = /^error\[([\w-]+)\]: (.*)$/.exec(line ?? "") ?? [];
  if (isErrorCode(code) && code !== "internal") return new PlatformError(code, detail);
  return new PlatformError("internal", `The ${name} does not start: ${detail}`);
};
