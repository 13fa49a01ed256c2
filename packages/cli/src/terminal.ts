import { createInterface } from "node:readline";

/** Where the command line reads and writes; injected, so that tests hold both ends. */
export interface Terminal {
  /** Results: what a pipe gets. */
  readonly out: (text: string) => void;
  /** Everything for people beside the result. */
  readonly err: (text: string) => void;
  /** Whether results go to a person's terminal. */
  readonly interactive: boolean;
  /** Whether colours may be used. */
  readonly colors: boolean;
  readonly columns: number;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Settles when the user presses Ctrl-C or the process is asked to end. */
  readonly interrupted: AbortSignal;
  /** Asks the user for a line; `null` when there is no more. */
  readonly ask: (prompt: string) => Promise<string | null>;
}

/** Reads lines from the standard input, opened when first asked. */
const lineReader = (): Terminal["ask"] => {
  let lines: AsyncIterator<string> | null = null;
  return async (prompt) => {
    process.stderr.write(prompt);
    lines ??= createInterface({ input: process.stdin })[Symbol.asyncIterator]();
    const next = await lines.next();
    return next.done === true ? null : next.value;
  };
};

/** The process's own terminal. */
export const processTerminal = (): Terminal => {
  const interrupt = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => interrupt.abort(signal));
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    interactive: process.stdout.isTTY,
    colors: process.stdout.isTTY && process.env["NO_COLOR"] === undefined,
    columns: process.stdout.columns ?? 80,
    environment: process.env,
    interrupted: interrupt.signal,
    ask: lineReader(),
  };
};

/** Colours a text where colours may be used. */
export const paint = (terminal: Terminal, color: "bold" | "dim" | "green" | "red" | "cyan", text: string): string => {
  if (!terminal.colors) return text;
  const codes = { bold: 1, dim: 2, green: 32, red: 31, cyan: 36 } as const;
  return `\u001b[${codes[color]}m${text}\u001b[0m`;
};
