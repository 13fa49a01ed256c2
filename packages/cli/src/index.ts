export { exitCodes } from "./failure.ts";
export { buildProgram, runCli } from "./program.ts";
export type { Terminal } from "./terminal.ts";
