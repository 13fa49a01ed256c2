import { appendFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import {
  type ConfigSources,
  loadConfig,
  type LoadedConfig,
  type Supervisor,
  startSupervisor,
} from "@modelyard/platform";
import type { Terminal } from "../terminal.ts";

/** Options of commands that start a platform or show its settings. */
export interface PlatformOptions {
  readonly data?: string;
  readonly host?: string;
  readonly port?: string;
  readonly config?: string;
  readonly json?: boolean;
}

/** Adds the options. */
export const withPlatformOptions = (command: Command): Command =>
  command
    .option("--data <folder>", "data directory (default: $MODELYARD_DATA or .modelyard)")
    .option("--host <address>", "address to listen on (default: 127.0.0.1)")
    .option("--port <number>", "public port, 0 for a free one (default: 8642)")
    .option("--config <file>", "JSON file of settings")
    .option("--json", "print one JSON document");

/** Reads the configuration that the options, the environment and the file add up to. */
export const readConfig = (options: PlatformOptions, terminal: Terminal): LoadedConfig => {
  const flags: ConfigSources["flags"] = { dataDirectory: options.data, host: options.host, port: options.port };
  return loadConfig({ flags, environment: terminal.environment, file: options.config });
};

/** Starts a platform whose log goes to `log` in its data directory. */
export const startPlatform = async (loaded: LoadedConfig): Promise<Supervisor> => {
  const early: string[] = [];
  let file: string | null = null;
  const onLine = (process: string, line: string): void => {
    const entry = line.startsWith("{") ? line : JSON.stringify({ process, msg: line });
    if (file === null) early.push(entry);
    else appendFileSync(file, `${entry}\n`);
  };
  const platform = await startSupervisor({ config: loaded.config, onLine });
  file = join(platform.directory.root, "modelyard.log");
  appendFileSync(file, early.map((entry) => `${entry}\n`).join(""), { mode: 0o600 });
  return platform;
};

/** Settles when the user wants the end. */
export const untilInterrupted = ({ interrupted }: Terminal): Promise<void> =>
  interrupted.aborted
    ? Promise.resolve()
    : new Promise((resolve) => interrupted.addEventListener("abort", () => resolve(), { once: true }));
