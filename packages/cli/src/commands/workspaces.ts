import { type Command, InvalidArgumentError } from "commander";
import type { Quotas, Workspace } from "@modelyard/contracts";
import { addCommand, type CommonOptions, contextOf } from "../command.ts";
import { formatBytes } from "../output/numbers.ts";
import { formatTable } from "../output/table.ts";
import type { Terminal } from "../terminal.ts";

interface QuotaOptions extends CommonOptions {
  readonly storageBytes?: number | null;
  readonly activeRuns?: number | null;
  readonly endpoints?: number | null;
}

const of = (used: number | string, most: number | string | null): string => `${used} of ${most ?? "any number"}`;

const table = (workspaces: readonly Workspace[]): string =>
  formatTable(
    ["workspace", "storage", "active runs", "endpoints", "created"],
    workspaces.map(({ name, quotas, usage, createdAt }) => [
      name,
      of(formatBytes(usage.storageBytes), quotas.storageBytesMax === null ? null : formatBytes(quotas.storageBytesMax)),
      of(usage.activeRuns, quotas.activeRunsMax),
      of(usage.endpoints, quotas.endpointsMax),
      createdAt,
    ]),
  );

const bound = (text: string): number | null => {
  if (text === "none") return null;
  const value = Number(text);
  if (text.trim() === "" || !Number.isInteger(value) || value < 0) {
    throw new InvalidArgumentError('Give a whole number from 0, or "none".');
  }
  return value;
};

const withQuotas = (command: Command): Command =>
  command
    .option("--storage-bytes <count>", "most bytes of dataset and model versions, or none", bound)
    .option("--active-runs <count>", "most runs that wait or are under way, or none", bound)
    .option("--endpoints <count>", "most endpoints, or none", bound);

const quotasOf = ({ storageBytes, activeRuns, endpoints }: QuotaOptions): Partial<Quotas> => ({
  ...(storageBytes !== undefined && { storageBytesMax: storageBytes }),
  ...(activeRuns !== undefined && { activeRunsMax: activeRuns }),
  ...(endpoints !== undefined && { endpointsMax: endpoints }),
});

/** Adds `workspaces create|list|update|current`. */
export const addWorkspaceCommands = (program: Command, terminal: Terminal): void => {
  const workspaces = program.command("workspaces").description("tenants and their quotas");
  withQuotas(
    addCommand(workspaces, { usage: "create <name>", about: "create a workspace; its first key is shown once" }),
  ).action(async (name: string, options: QuotaOptions) => {
    const { connection, print, json } = contextOf(terminal, options);
    const created = await connection.yard.workspaces.create({ name, quotas: quotasOf(options) });
    print(created, `${created.key.key}\n`);
    if (!json) terminal.err(`This key may do everything in ${name}. It is shown this once only.\n`);
  });
  addCommand(workspaces, { usage: "list", about: "list workspaces with quotas and use" }).action(
    async (options: CommonOptions) => {
      const { connection, print } = contextOf(terminal, options);
      const page = await connection.yard.workspaces.list({ limit: 500 });
      print(page, table(page.items));
    },
  );
  withQuotas(addCommand(workspaces, { usage: "update <name>", about: "change the quotas of a workspace" })).action(
    async (name: string, options: QuotaOptions) => {
      const { connection, print } = contextOf(terminal, options);
      const workspace = await connection.yard.workspaces.update(name, { quotas: quotasOf(options) });
      print(workspace, table([workspace]));
    },
  );
  addCommand(workspaces, { usage: "current", about: "show the key's workspace" }).action(
    async (options: CommonOptions) => {
      const { connection, print } = contextOf(terminal, options);
      const workspace = await connection.yard.workspaces.current();
      print(workspace, table([workspace]));
    },
  );
};
