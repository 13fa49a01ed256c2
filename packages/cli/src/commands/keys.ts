import type { Command } from "commander";
import type { ApiKey, Scope } from "@modelyard/contracts";
import { addCommand, type CommonOptions, contextOf, wholeNumber } from "../command.ts";
import { formatTable } from "../output/table.ts";
import type { Terminal } from "../terminal.ts";

const row = ({ id, name, prefix, scopes, revokedAt, expiresAt, lastUsedAt }: ApiKey): string[] => [
  id,
  name,
  `${prefix}…`,
  scopes.join(" "),
  revokedAt === null ? (expiresAt === null ? "live" : `until ${expiresAt}`) : `revoked ${revokedAt}`,
  lastUsedAt ?? "never",
];

const table = (keys: readonly ApiKey[]): string =>
  formatTable(["id", "name", "key", "scopes", "state", "last used"], keys.map(row));

/** Adds `keys create|list|revoke`. */
export const addKeyCommands = (program: Command, terminal: Terminal): void => {
  const keys = program.command("keys").description("API keys");
  addCommand(keys, { usage: "create <name>", about: "create an API key; its secret is shown once" })
    .requiredOption("--scopes <scopes>", "comma-separated, e.g. predict or datasets:read,runs:write")
    .option("--expires-in-days <days>", "days until the key stops working", wholeNumber(1))
    .action(async (name: string, options: CommonOptions & { scopes: string; expiresInDays?: number }) => {
      const { connection, print } = contextOf(terminal, options);
      const scopes = options.scopes.split(",").map((scope) => scope.trim() as Scope);
      const { expiresInDays } = options;
      const created = await connection.yard.keys.create({ name, scopes, expiresInDays });
      print(created, `${created.key}\n`);
      if (options.json !== true) terminal.err("This is the only time that the key is shown.\n");
    });
  addCommand(keys, { usage: "list", about: "list API keys without their secrets" }).action(
    async (options: CommonOptions) => {
      const { connection, print } = contextOf(terminal, options);
      const page = await connection.yard.keys.list({ limit: 500 });
      print(page, table(page.items));
    },
  );
  addCommand(keys, { usage: "revoke <id>", about: "revoke an API key at once" }).action(
    async (id: string, options: CommonOptions) => {
      const { connection, print } = contextOf(terminal, options);
      const key = await connection.yard.keys.revoke(id);
      print(key, table([key]));
    },
  );
};
