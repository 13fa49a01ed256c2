import { accessSync, constants, existsSync, statfsSync } from "node:fs";
import { freemem, totalmem } from "node:os";
import { dirname, resolve } from "node:path";
import type { Command } from "commander";
import { onnxRuntimeExecutor } from "@modelyard/learn/onnxruntime-node";
import type { Config } from "@modelyard/platform";
import { Modelyard } from "@modelyard/sdk";
import { connect } from "../connection.ts";
import { failureOf } from "../failure.ts";
import { formatBytes } from "../output/numbers.ts";
import { paint, type Terminal } from "../terminal.ts";
import { checkClock, checkNode, checkPermissions, checkPort } from "./machine-checks.ts";
import { type PlatformOptions, readConfig, withPlatformOptions } from "./platform-options.ts";

interface Finding {
  readonly check: string;
  readonly ok: boolean;
  readonly detail: string;
}

const freeBytesMin = 1_000_000_000;

const attempt = async (check: string, work: () => Promise<string> | string): Promise<Finding> => {
  try {
    return { check, ok: true, detail: await work() };
  } catch (error) {
    return { check, ok: false, detail: failureOf(error).detail };
  }
};

const existing = (folder: string): string => (existsSync(folder) ? folder : existing(dirname(folder)));

const urlOf = (config: Config, terminal: Terminal): string =>
  terminal.environment["MODELYARD_URL"] ?? `http://${config.host}:${config.port}`;

const answers = (url: string): Promise<boolean> =>
  new Modelyard({ url, timeoutMs: 3000 }).system.healthz().then(
    () => true,
    () => false,
  );

const findings = (options: PlatformOptions, terminal: Terminal): Promise<Finding[]> => {
  const { config } = readConfig(options, terminal);
  const folder = existing(resolve(config.dataDirectory));
  return Promise.all([
    attempt("execution engine", () => onnxRuntimeExecutor().engine),
    attempt("memory", () => `${formatBytes(freemem())} free of ${formatBytes(totalmem())}`),
    attempt("data directory", () => {
      accessSync(folder, constants.W_OK);
      const { bavail, bsize } = statfsSync(folder);
      if (bavail * bsize < freeBytesMin) throw new Error(`only ${formatBytes(bavail * bsize)} are free at ${folder}`);
      return `${folder} can be written, ${formatBytes(bavail * bsize)} free`;
    }),
    attempt("Node", () => checkNode(process.version)),
    attempt("permissions", () => checkPermissions(resolve(config.dataDirectory))),
    attempt("clock", () => checkClock(Date.now())),
    attempt("port", async () => checkPort(config, await answers(urlOf(config, terminal)))),
    attempt("platform", async () => {
      const url = urlOf(config, terminal);
      const { controlPlane } = await new Modelyard({ url, timeoutMs: 3000 }).system.readyz();
      return `answers at ${url}, control plane ${controlPlane}`;
    }),
    attempt("API key", async () => {
      const { key, workspace } = await connect(options, terminal).yard.system.whoami();
      return `"${key.name}" of the workspace ${workspace} (${key.scopes.join(" ")})`;
    }),
  ]);
};

/** Adds `doctor`. */
export const addDoctorCommand = (program: Command, terminal: Terminal): void => {
  withPlatformOptions(program.command("doctor").description("check this machine and the platform on it")).action(
    async (options: PlatformOptions) => {
      const found = await findings(options, terminal);
      if (options.json === true)
        terminal.out(`${JSON.stringify({ ok: found.every(({ ok }) => ok), checks: found }, null, 2)}\n`);
      else {
        for (const { check, ok, detail } of found) {
          terminal.out(
            `${ok ? paint(terminal, "green", "✓") : paint(terminal, "red", "✗")} ${check.padEnd(18)} ${detail}\n`,
          );
        }
      }
      // A platform that is not running is no illness of the machine.
      if (found.slice(0, 3).some(({ ok }) => !ok)) process.exitCode = 1;
    },
  );
};
