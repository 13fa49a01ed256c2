import type { Command } from "commander";
import { onnxRuntimeExecutor } from "@modelyard/learn/onnxruntime-node";
import { codeVersion } from "@modelyard/platform";
import type { Terminal } from "../terminal.ts";

/** Adds `version`. */
export const addVersionCommand = (program: Command, terminal: Terminal): void => {
  program
    .command("version")
    .description("show the versions of Modelyard, its engine and Node")
    .option("--json", "print one JSON document")
    .action((options: { json?: boolean }) => {
      const { engine } = onnxRuntimeExecutor();
      const versions = { modelyard: codeVersion, engine, node: process.version };
      terminal.out(
        options.json === true
          ? `${JSON.stringify(versions, null, 2)}\n`
          : `Modelyard ${versions.modelyard} (${engine}, Node ${versions.node})\n`,
      );
    });
};
