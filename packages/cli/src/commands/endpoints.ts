import type { Command } from "commander";
import type { Endpoint } from "@modelyard/contracts";
import { addCommand, type CommonOptions, type Context, contextOf, wholeNumber } from "../command.ts";
import { exitCodes } from "../failure.ts";
import { formatTable } from "../output/table.ts";
import type { Terminal } from "../terminal.ts";

const pollEveryMs = 100;
const readyWithinMs = 60_000;

const row = (endpoint: Endpoint): (string | number)[] => [
  endpoint.name,
  endpoint.model,
  endpoint.state,
  endpoint.version ?? "–",
  `${endpoint.replicas.filter(({ state }) => state === "ready").length}/${endpoint.desiredReplicas}`,
  endpoint.paths.predict,
];

const table = (endpoints: readonly Endpoint[]): string =>
  formatTable(["endpoint", "model", "state", "version", "ready", "path"], endpoints.map(row));

const replicaTable = ({ replicas }: Endpoint): string =>
  formatTable(
    ["replica", "version", "state", "restarts", "reason"],
    replicas.map(({ id, version, state, restarts, reason }) => [id, version, state, restarts, reason ?? ""]),
  );

/** Waits until an endpoint serves what it should, or has failed. */
export const waitUntilReady = async ({ connection, terminal }: Context, name: string): Promise<Endpoint> => {
  const endMs = performance.now() + readyWithinMs;
  for (;;) {
    const endpoint = await connection.yard.endpoints.show(name);
    const over = endpoint.state === "ready" || endpoint.state === "failed" || performance.now() > endMs;
    if (over || terminal.interrupted.aborted) return endpoint;
    await new Promise((done) => setTimeout(done, pollEveryMs));
  }
};

/** Adds `endpoints create|list|show|delete`. */
export const addEndpointCommands = (program: Command, terminal: Terminal): void => {
  const endpoints = program.command("endpoints").description("models as services");
  addCommand(endpoints, { usage: "create <name>", about: "deploy a model version or alias behind a stable name" })
    .requiredOption("--model <reference>", "name@alias or name@version; an alias is followed when it moves")
    .option("--replicas <count>", "serving processes", wholeNumber(1), 1)
    .option("--no-wait", "return before the replicas are ready")
    .action(async (name: string, options: CommonOptions & { model: string; replicas: number; wait: boolean }) => {
      const context = contextOf(terminal, options);
      const { model, replicas } = options;
      const created = await context.connection.yard.endpoints.create({ name, model, replicas });
      const endpoint = options.wait ? await waitUntilReady(context, name) : created;
      const failed = endpoint.state === "failed";
      const next = failed
        ? `${replicaTable(endpoint)}\nThe replicas do not start. Mend the cause, then delete the endpoint and create it again.\n`
        : `Try it with: modelyard predict ${name} <file>\n`;
      context.print(endpoint, `${table([endpoint])}\n${next}`);
      if (failed) process.exitCode = exitCodes.failed;
    });
  addCommand(endpoints, { usage: "list", about: "list endpoints with their state" }).action(
    async (options: CommonOptions) => {
      const { connection, print } = contextOf(terminal, options);
      const page = await connection.yard.endpoints.list({ limit: 500 });
      print(page, table(page.items));
    },
  );
  addCommand(endpoints, { usage: "show <name>", about: "show an endpoint and its replicas" }).action(
    async (name: string, options: CommonOptions) => {
      const { connection, print } = contextOf(terminal, options);
      const endpoint = await connection.yard.endpoints.show(name);
      print(endpoint, `${table([endpoint])}\n${replicaTable(endpoint)}`);
    },
  );
  addCommand(endpoints, {
    usage: "delete <name>",
    about: "delete an endpoint; requests under way are finished first",
  }).action(async (name: string, options: CommonOptions) => {
    const { connection, print } = contextOf(terminal, options);
    await connection.yard.endpoints.delete(name);
    print({ deleted: name }, `${name} is deleted.\n`);
  });
};
