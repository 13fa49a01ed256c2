import { CommanderError } from "commander";
import { PlatformError } from "@modelyard/platform";
import { ModelyardError } from "@modelyard/sdk";

/** Exit codes; they never change their meaning. */
export const exitCodes = {
  success: 0,
  /** The request failed, or the run that was watched did. */
  failed: 1,
  /** The command line is not valid. */
  usage: 2,
  /** No platform answers. */
  unreachable: 3,
  /** The key is missing, wrong, or lacks a scope. */
  authentication: 4,
  /** Ctrl-C. */
  interrupted: 130,
} as const;

/** A failure as the command line shows it. */
export interface Failure {
  readonly code: string;
  readonly detail: string;
  readonly exitCode: number;
}

/** A mistake on the command line. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  readonly code: "usage" | "file-unreadable" | "key-missing";

  constructor(code: UsageError["code"], detail: string) {
    super(detail);
    this.code = code;
  }
}

const exitCodeOf = (status: number, code: string): number => {
  if (code === "server-unreachable") return exitCodes.unreachable;
  return status === 401 || status === 403 ? exitCodes.authentication : exitCodes.failed;
};

/** What to show and how to end for whatever was thrown. */
export const failureOf = (error: unknown): Failure => {
  if (error instanceof CommanderError) {
    const mistake = error.message.replace(/^error: /, "").replace(/\.?$/, ".");
    return { code: "usage", detail: `${mistake} Add --help to see what the command takes.`, exitCode: exitCodes.usage };
  }
  if (error instanceof UsageError) {
    const exitCode = error.code === "key-missing" ? exitCodes.authentication : exitCodes.usage;
    return { code: error.code, detail: error.message, exitCode };
  }
  if (error instanceof ModelyardError) {
    return { code: error.code, detail: error.message, exitCode: exitCodeOf(error.status, error.code) };
  }
  if (error instanceof PlatformError) return { code: error.code, detail: error.message, exitCode: exitCodes.failed };
  const detail = error instanceof Error ? error.message : String(error);
  return { code: "internal", detail, exitCode: exitCodes.failed };
};
