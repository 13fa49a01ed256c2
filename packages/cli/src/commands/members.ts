import { type Command, Option } from "commander";
import { type Member, Role } from "@modelyard/contracts";
import { addCommand, type CommonOptions, contextOf } from "../command.ts";
import { formatTable } from "../output/table.ts";
import type { Terminal } from "../terminal.ts";

const table = (members: readonly Member[]): string =>
  formatTable(
    ["member", "role", "since"],
    members.map(({ name, role, createdAt }) => [name, role, createdAt]),
  );

const roleOption = (): Option =>
  new Option("--role <role>", "what the member may do at most").choices(Role.options).makeOptionMandatory();

/** Adds `members add|list|update|remove`. */
export const addMemberCommands = (program: Command, terminal: Terminal): void => {
  const members = program.command("members").description("people and programs of the workspace");
  for (const verb of ["add", "update"] as const) {
    const about = { add: "add a member", update: "give a member another role; its keys follow at once" }[verb];
    addCommand(members, { usage: `${verb} <name>`, about })
      .addOption(roleOption())
      .action(async (name: string, options: CommonOptions & { role: Role }) => {
        const { connection, print } = contextOf(terminal, options);
        const { members: group } = connection.yard;
        const { role } = options;
        const member = verb === "add" ? await group.add({ name, role }) : await group.update(name, { role });
        print(member, table([member]));
      });
  }
  addCommand(members, { usage: "list", about: "list members and their roles" }).action(
    async (options: CommonOptions) => {
      const { connection, print } = contextOf(terminal, options);
      const page = await connection.yard.members.list({ limit: 500 });
      print(page, table(page.items));
    },
  );
  addCommand(members, { usage: "remove <name>", about: "remove a member and revoke its keys" }).action(
    async (name: string, options: CommonOptions) => {
      const { connection, print } = contextOf(terminal, options);
      await connection.yard.members.remove(name);
      print({ removed: name }, `${name} is removed; its keys are revoked.\n`);
    },
  );
};
