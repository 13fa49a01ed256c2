import type { Command } from "commander";
import { backUpPlatform, type CopiedData, restorePlatform } from "@modelyard/platform";
import { formatBytes } from "../output/numbers.ts";
import { paint, type Terminal } from "../terminal.ts";
import { type PlatformOptions, readConfig, withPlatformOptions } from "./platform-options.ts";

const report = (
  terminal: Terminal,
  json: boolean,
  told: { readonly copied: CopiedData; readonly text: string },
): void => {
  const { files, bytes } = told.copied;
  if (json) terminal.out(`${JSON.stringify(told.copied)}\n`);
  else terminal.out(`${paint(terminal, "green", "✓")} ${told.text}: ${files} files, ${formatBytes(bytes)}\n`);
};

/** Adds `backup` and `restore`. */
export const addBackupCommands = (program: Command, terminal: Terminal): void => {
  withPlatformOptions(
    program
      .command("backup <folder>")
      .description("copy the data directory, also while it is used; the copy holds its secrets"),
  ).action(async (folder: string, options: PlatformOptions) => {
    const copied = await backUpPlatform(readConfig(options, terminal).config, folder);
    report(terminal, options.json === true, { copied, text: `Backup in ${folder}` });
  });
  withPlatformOptions(
    program.command("restore <folder>").description("make an empty data directory from a backup, its digests proved"),
  ).action(async (folder: string, options: PlatformOptions) => {
    const { config } = readConfig(options, terminal);
    const copied = await restorePlatform(config, folder);
    report(terminal, options.json === true, { copied, text: `Restored to ${config.dataDirectory}` });
  });
};
