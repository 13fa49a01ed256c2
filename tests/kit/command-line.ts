import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The command as it is published. */
const modelyardBin: string = fileURLToPath(new URL("../../packages/cli/bin/modelyard.js", import.meta.url));

/** How a command ended. */
export interface CommandResult {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A command that runs. */
export interface RunningCommand {
  readonly pid: number;
  /** What it has printed so far, both streams. */
  readonly printed: () => string;
  readonly signal: (name: NodeJS.Signals) => void;
  readonly ended: Promise<CommandResult>;
}

/** How to start a command. */
export interface CommandOptions {
  readonly environment?: Readonly<Record<string, string>>;
  /** Runs it on a terminal of its own, so that it draws as it does for a person. */
  readonly terminal?: boolean;
}

const quoted = (word: string): string => `'${word.replaceAll("'", String.raw`'\''`)}'`;

/** Starts `modelyard` with arguments in a process of its own. */
export const startCommand = (args: readonly string[], options: CommandOptions = {}): RunningCommand => {
  const words = [process.execPath, modelyardBin, ...args];
  const [program = "", ...rest] =
    options.terminal === true ? ["script", "-qfec", `exec ${words.map(quoted).join(" ")}`, "/dev/null"] : words;
  const child = spawn(program, rest, {
    env: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "", ...options.environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [out, err, all] = ["", "", ""];
  child.stdout.on("data", (chunk: Buffer) => ((out += String(chunk)), (all += String(chunk))));
  child.stderr.on("data", (chunk: Buffer) => ((err += String(chunk)), (all += String(chunk))));
  return {
    pid: child.pid ?? 0,
    printed: () => all,
    signal: (name) => void child.kill(name),
    ended: new Promise((resolve) => void child.once("close", (code) => resolve({ code, out, err }))),
  };
};

/** Runs `modelyard` to its end. */
export const runCommand = (args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> =>
  startCommand(args, options).ended;
