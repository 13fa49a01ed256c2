import { runCli } from "./program.ts";
import { processTerminal } from "./terminal.ts";

/** Runs the command line of this process. */
export const main = async (): Promise<void> => {
  process.exitCode = await runCli(process.argv.slice(2), processTerminal());
  // Kept-alive connections to a platform must not hold a finished command.
  process.exit();
};
