import type { Command } from "commander";
import type { ApiKey, Scope } from "@modelyard/contracts";
import { addCommand, type CommonOptions, type Context, contextOf, wholeNumber } from "../command.ts";
import { formatTable } from "../output/table.ts";
import type { Terminal } from "../terminal.ts";

interface CreateOptions {
  readonly scopes: string;
  readonly expiresInDays?: number;
  readonly member?: string;
}

const row = ({ id, name, prefix, member, scopes, revokedAt, expiresAt, lastUsedAt }: ApiKey): string[] => [
  id,
  name,
  `${prefix}…`,
  member ?? "–",
  scopes.join(" "),
  revokedAt === null ? (expiresAt === null ? "live" : `until ${expiresAt}`) : `revoked ${revokedAt}`,
  lastUsedAt ?? "never",
];

const table = (keys: readonly ApiKey[]): string =>
  formatTable(["id", "name", "key", "member", "scopes", "state", "last used"], keys.map(row));

/** Shows a secret for the only time. */
const printSecret = ({ print, terminal, json }: Context, created: { readonly key: string }): void => {
  print(created, `${created.key}\n`);
  if (!json) terminal.err("This is the only time that the key is shown.\n");
};

/** Adds `keys create|list|rotate|revoke`. */
export const addKeyCommands = (program: Command, terminal: Terminal): void => {
  const keys = program.command("keys").description("API keys");
  addCommand(keys, { usage: "create <name>", about: "create an API key; its secret is shown once" })
    .requiredOption("--scopes <scopes>", "comma-separated, e.g. predict or datasets:read,runs:write")
    .option("--expires-in-days <days>", "days until the key stops working", wholeNumber(1))
    .option("--member <name>", "member whose role bounds the key")
    .action(async (name: string, options: CommonOptions & CreateOptions) => {
      const context = contextOf(terminal, options);
      const scopes = options.scopes.split(",").map((scope) => scope.trim() as Scope);
      const { expiresInDays, member } = options;
      printSecret(context, await context.connection.yard.keys.create({ name, scopes, expiresInDays, member }));
    });
  addCommand(keys, { usage: "rotate <id>", about: "make a new key in place of one, which works on for the overlap" })
    .option("--overlap-hours <hours>", "hours for which the old key works on; 0 ends it at once", wholeNumber(0), 24)
    .action(async (id: string, options: CommonOptions & { overlapHours: number }) => {
      const context = contextOf(terminal, options);
      const { overlapHours } = options;
      printSecret(context, await context.connection.yard.keys.rotate(id, { overlapHours }));
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
