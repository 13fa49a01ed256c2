import { readFileSync, writeFileSync } from "node:fs";
import type { Command } from "commander";
import { AuditProof, AuditRecord } from "@modelyard/contracts";
import { type AuditVerdict, verifyAudit } from "@modelyard/platform";
import { addCommand, type CommonOptions, contextOf, wholeNumber } from "../command.ts";
import { exitCodes, UsageError } from "../failure.ts";
import { formatTable } from "../output/table.ts";
import type { Terminal } from "../terminal.ts";

const readText = (file: string): string => {
  try {
    return readFileSync(file, "utf8");
  } catch {
    throw new UsageError("file-unreadable", `"${file}" cannot be read. Check the path.`);
  }
};

/** Records of JSON Lines; what is no record is a flaw that the check must see, so it is not passed over. */
const parseLines = (text: string): AuditRecord[] =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line, index) => {
      try {
        return AuditRecord.parse(JSON.parse(line));
      } catch {
        throw new UsageError("usage", `Line ${index + 1} is no audit record. Export the log again.`);
      }
    });

const describe = ({ records, checkpoints, head, flaw }: AuditVerdict): string => {
  if (flaw !== null) return `✗ record ${flaw.sequence}: ${flaw.problem}\n`;
  const end = head === null ? "" : `, up to record ${head.sequence} (${head.hash.slice(0, 16)}…)`;
  return `✓ ${records} records follow one another without a gap or a change${end}; ${checkpoints} signed checkpoints agree\n`;
};

const addVerify = (audit: Command, terminal: Terminal): void => {
  addCommand(audit, {
    usage: "verify [file]",
    about: "check that nobody changed the log: its chain and its signatures",
  })
    .option("--checkpoints <file>", "signed checkpoints that were kept elsewhere (JSON of `audit checkpoints`)")
    .action(async (file: string | undefined, options: CommonOptions & { checkpoints?: string }) => {
      const context = contextOf(terminal, options);
      const { audit: group } = context.connection.yard;
      const proof =
        options.checkpoints === undefined
          ? await group.checkpoints()
          : AuditProof.parse(JSON.parse(readText(options.checkpoints)));
      const records = parseLines(file === undefined ? await group.export() : readText(file));
      const verdict = verifyAudit(records, { publicKey: proof.publicKey, checkpoints: proof.items });
      context.print(verdict, describe(verdict));
      if (verdict.flaw !== null) process.exitCode = exitCodes.failed;
    });
};

/** Adds `audit list|export|checkpoints|verify`. */
export const addAuditCommands = (program: Command, terminal: Terminal): void => {
  const audit = program.command("audit").description("who changed what, and who was refused");
  addCommand(audit, { usage: "list", about: "list changes and refusals, newest first" })
    .option("--operation <id>", "only of this operation, e.g. models.alias")
    .option("--until <moment>", "only up to a moment (ISO 8601)")
    .option("--limit <count>", "most records", wholeNumber(1), 50)
    .action(async (options: CommonOptions & { operation?: string; until?: string; limit: number }) => {
      const { connection, print } = contextOf(terminal, options);
      const { operation, until, limit } = options;
      const page = await connection.yard.audit.list({ limit, operation, until });
      const rows = page.items.map((record) => [
        record.sequence,
        record.at,
        record.actor?.name ?? "nobody known",
        record.operation,
        record.outcome,
        record.count > 1 ? `${record.subject} ×${record.count}` : record.subject,
      ]);
      print(page, formatTable(["number", "at", "who", "operation", "outcome", "what"], rows));
    });
  addCommand(audit, { usage: "export", about: "save the whole log as JSON Lines" })
    .option("-o, --output <file>", "file to write (default: the result stream)")
    .action(async (options: CommonOptions & { output?: string }) => {
      const { connection, print } = contextOf(terminal, options);
      const text = await connection.yard.audit.export();
      if (options.output === undefined) return terminal.out(text);
      writeFileSync(options.output, text);
      const records = text.split("\n").length - 1;
      print({ file: options.output, records }, `${options.output}  ${records} records\n`);
    });
  addCommand(audit, { usage: "checkpoints", about: "show the signed checkpoints, to keep elsewhere" }).action(
    async (options: CommonOptions) => {
      const { connection } = contextOf(terminal, options);
      terminal.out(`${JSON.stringify(await connection.yard.audit.checkpoints(), null, 2)}\n`);
    },
  );
  addVerify(audit, terminal);
};
