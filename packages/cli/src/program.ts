import { Command, CommanderError } from "commander";
import { codeVersion } from "@modelyard/platform";
import { addAuditCommands } from "./commands/audit.ts";
import { addBackupCommands } from "./commands/backup.ts";
import { addChatCommand } from "./commands/chat.ts";
import { addCompletionCommand } from "./commands/completion.ts";
import { addConfigCommand } from "./commands/config.ts";
import { addDatasetCommands } from "./commands/datasets.ts";
import { addDoctorCommand } from "./commands/doctor.ts";
import { addEndpointCommands } from "./commands/endpoints.ts";
import { addKeyCommands } from "./commands/keys.ts";
import { addMemberCommands } from "./commands/members.ts";
import { addModelCommands } from "./commands/models.ts";
import { addPredictCommand } from "./commands/predict.ts";
import { addQuickstartCommand } from "./commands/quickstart.ts";
import { addRunCommands } from "./commands/runs.ts";
import { addUpCommand } from "./commands/up.ts";
import { addUsageCommand } from "./commands/usage.ts";
import { addVersionCommand } from "./commands/version.ts";
import { addWorkspaceCommands } from "./commands/workspaces.ts";
import { exitCodes, failureOf } from "./failure.ts";
import { paint, type Terminal } from "./terminal.ts";

/** The whole command line as data; the documentation is made from it too. */
export const buildProgram = (terminal: Terminal): Command => {
  const program = new Command("modelyard").description("Modelyard: data to a model to a service").version(codeVersion);
  addUpCommand(program, terminal);
  addQuickstartCommand(program, terminal);
  addDatasetCommands(program, terminal);
  addRunCommands(program, terminal);
  addModelCommands(program, terminal);
  addEndpointCommands(program, terminal);
  addPredictCommand(program, terminal);
  addChatCommand(program, terminal);
  addUsageCommand(program, terminal);
  addWorkspaceCommands(program, terminal);
  addMemberCommands(program, terminal);
  addKeyCommands(program, terminal);
  addAuditCommands(program, terminal);
  addConfigCommand(program, terminal);
  addBackupCommands(program, terminal);
  addDoctorCommand(program, terminal);
  addVersionCommand(program, terminal);
  addCompletionCommand(program, terminal);
  const configure = (command: Command): void => {
    // Mistakes are reported once, by `report`, in the form of every other error.
    command
      .exitOverride()
      .configureOutput({ writeOut: terminal.out, writeErr: terminal.err, outputError: () => undefined });
    for (const sub of command.commands) configure(sub);
  };
  configure(program);
  return program;
};

const report = (error: unknown, json: boolean, terminal: Terminal): number => {
  // Help has been printed: asked for, or in place of a command.
  if (error instanceof CommanderError && (error.exitCode === 0 || error.code === "commander.help"))
    return error.exitCode === 0 ? exitCodes.success : exitCodes.usage;
  const { code, detail, exitCode } = failureOf(error);
  if (json) terminal.out(`${JSON.stringify({ error: { code, detail } })}\n`);
  else terminal.err(`${paint(terminal, "red", `error[${code}]`)}: ${detail}\n`);
  return exitCode;
};

/**
 * Runs one command line.
 * @param args What follows the program's name.
 * @returns The exit code.
 */
export const runCli = async (args: readonly string[], terminal: Terminal): Promise<number> => {
  try {
    await buildProgram(terminal).parseAsync([...args], { from: "user" });
    return Number(process.exitCode ?? exitCodes.success);
  } catch (error) {
    return report(error, args.includes("--json"), terminal);
  }
};
