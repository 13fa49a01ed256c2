import type { Command } from "commander";
import { type SettingName, settings } from "@modelyard/platform";
import { formatTable } from "../output/table.ts";
import type { Terminal } from "../terminal.ts";
import { type PlatformOptions, readConfig, withPlatformOptions } from "./platform-options.ts";

/** Adds `config`. */
export const addConfigCommand = (program: Command, terminal: Terminal): void => {
  withPlatformOptions(
    program.command("config").description("show the effective settings and where each comes from"),
  ).action((options: PlatformOptions) => {
    const { config, origins } = readConfig(options, terminal);
    const names = Object.keys(settings) as SettingName[];
    if (options.json === true) {
      const entries = names.map((name) => [
        name,
        { value: config[name], origin: origins[name], variable: settings[name].variable },
      ]);
      terminal.out(`${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`);
      return;
    }
    const rows = names.map((name) => [name, String(config[name]), origins[name], settings[name].variable]);
    terminal.out(formatTable(["setting", "value", "from", "variable"], rows));
  });
};
