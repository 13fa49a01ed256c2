import type { Command } from "commander";
import { addCommand, type CommonOptions, contextOf } from "../command.ts";
import { formatCount } from "../output/numbers.ts";
import { formatTable } from "../output/table.ts";
import type { Terminal } from "../terminal.ts";

interface TokenCount {
  readonly model: string;
  readonly key: string;
  readonly type: string;
  readonly tokens: number;
}

const line = /^gen_ai_client_token_usage_total\{([^}]*)\} (\d+)$/;
const label = /(\w+)="((?:[^"\\]|\\.)*)"/g;

/** Token counters out of Prometheus' text. */
const parseUsage = (text: string): TokenCount[] =>
  text.split("\n").flatMap((each) => {
    const [, labels, tokens] = line.exec(each) ?? [];
    if (labels === undefined) return [];
    const values = Object.fromEntries([...labels.matchAll(label)].map(([, name, value]) => [name, value]));
    const { gen_ai_request_model: model = "", gen_ai_token_type: type = "", key = "" } = values;
    return [{ model, key, type, tokens: Number(tokens) }];
  });

/** Adds `usage`. */
export const addUsageCommand = (program: Command, terminal: Terminal): void => {
  addCommand(program, {
    usage: "usage",
    about: "show tokens by language model and API key since the gateway started",
  }).action(async (options: CommonOptions) => {
    const { connection, print } = contextOf(terminal, options);
    const counts = parseUsage(await connection.yard.system.metrics());
    const rows = new Map<string, { model: string; key: string; tokens: Record<string, number> }>();
    for (const { model, key, type, tokens } of counts) {
      const id = JSON.stringify([model, key]);
      const row = rows.get(id) ?? { model, key, tokens: {} };
      row.tokens[type] = tokens;
      rows.set(id, row);
    }
    const list = [...rows.values()];
    const table = list.map(({ model, key, tokens }) => [
      model,
      key,
      ...["input", "cached", "output"].map((type) => formatCount(tokens[type] ?? 0)),
    ]);
    print(list, formatTable(["model", "key", "input", "of it cached", "output"], table));
  });
};
