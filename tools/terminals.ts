import type { Terminal } from "../packages/cli/src/index.ts";

/** A terminal at which nobody sits, for building the command line without running it. */
export const silentTerminal: Terminal = {
  out: () => {},
  err: () => {},
  interactive: false,
  colors: false,
  columns: 80,
  environment: {},
  interrupted: new AbortController().signal,
  ask: () => Promise.resolve(null),
};
