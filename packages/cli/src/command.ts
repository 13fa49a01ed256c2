import { type Command, InvalidArgumentError } from "commander";
import { connect, type Connection, type ConnectionOptions } from "./connection.ts";
import type { Terminal } from "./terminal.ts";

/** Options that every command takes. */
export interface CommonOptions extends ConnectionOptions {
  readonly json?: boolean;
}

/** What a command works with. */
export interface Context {
  readonly terminal: Terminal;
  readonly json: boolean;
  /** Finds the platform; fails when no key is there. */
  readonly connection: Connection;
  /** Prints the result: as one JSON document, or as text for people. */
  readonly print: (value: unknown, text: string) => void;
}

/** Adds the options that every command takes. */
const withCommonOptions = (command: Command): Command =>
  command
    .option("--url <address>", "address of the platform (default: $MODELYARD_URL or http://127.0.0.1:8642)")
    .option("--api-key <key>", "API key; better in $MODELYARD_API_KEY, where other users cannot see it")
    .option("--data <folder>", "data directory that holds the admin key (default: $MODELYARD_DATA or .modelyard)")
    .option("--json", "print one JSON document");

/** Adds a subcommand that talks to a platform. */
export const addCommand = (parent: Command, spec: { readonly usage: string; readonly about: string }): Command =>
  withCommonOptions(parent.command(spec.usage).description(spec.about));

/** Makes the context of a command from its options. */
export const contextOf = (terminal: Terminal, options: CommonOptions): Context => {
  const json = options.json === true;
  let connection: Connection | undefined;
  return {
    terminal,
    json,
    get connection() {
      connection ??= connect(options, terminal);
      return connection;
    },
    print: (value, text) => terminal.out(json ? `${JSON.stringify(value, null, 2)}\n` : text),
  };
};

/** Parses a whole number option. */
export const wholeNumber =
  (minimum: number) =>
  (text: string): number => {
    const value = Number(text);
    if (text.trim() === "" || !Number.isInteger(value) || value < minimum)
      throw new InvalidArgumentError(`Give a whole number from ${minimum}.`);
    return value;
  };

/** Parses an option that takes a number above zero. */
export const positiveNumber = (text: string): number => {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError("Give a number above 0.");
  return value;
};
