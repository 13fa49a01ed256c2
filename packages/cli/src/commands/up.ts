import { join } from "node:path";
import type { Command } from "commander";
import { paint, type Terminal } from "../terminal.ts";
import {
  type PlatformOptions,
  readConfig,
  startPlatform,
  untilInterrupted,
  withPlatformOptions,
} from "./platform-options.ts";

/** Adds `up`. */
export const addUpCommand = (program: Command, terminal: Terminal): void => {
  withPlatformOptions(program.command("up").description("start the platform on this machine, until Ctrl-C")).action(
    async (options: PlatformOptions) => {
      const started = performance.now();
      const platform = await startPlatform(readConfig(options, terminal));
      const seconds = (performance.now() - started) / 1000;
      const { root, adminKey } = platform.directory;
      if (options.json === true)
        terminal.out(`${JSON.stringify({ url: platform.url, dataDirectory: root, adminKey })}\n`);
      else {
        terminal.out(
          `${paint(terminal, "green", "✓")} Modelyard is ready at ${paint(terminal, "bold", platform.url)} (${seconds.toFixed(1)} s)\n` +
            `  data      ${root}\n  admin key ${adminKey}\n  log       ${join(root, "modelyard.log")}\n` +
            `  next      modelyard datasets import <name> <files>   ·   Ctrl-C stops\n`,
        );
      }
      await untilInterrupted(terminal);
      terminal.err("Stopping: trainings write a checkpoint, predictions under way are answered.\n");
      await platform[Symbol.asyncDispose]();
    },
  );
};
