import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { ModelDefinition, PreprocessingStep, type Run } from "@modelyard/contracts";
import { addCommand, type CommonOptions, type Context, contextOf, positiveNumber, wholeNumber } from "../command.ts";
import { exitCodes, UsageError } from "../failure.ts";
import { formatEvaluation } from "../output/evaluation.ts";
import { formatMetric } from "../output/numbers.ts";
import { createRunReporter } from "../output/progress.ts";
import { formatTable } from "../output/table.ts";
import type { Terminal } from "../terminal.ts";

interface StartOptions extends CommonOptions {
  readonly experiment: string;
  readonly dataset: string;
  readonly definition: string;
  readonly epochs?: number;
  readonly batchSize?: number;
  readonly optimizer?: string;
  readonly learningRate?: number;
  readonly loss?: string;
  readonly seed?: number;
  readonly model?: string;
  readonly target?: string;
  readonly preprocessing?: string;
  readonly slice?: readonly string[];
  readonly earlyStopping?: number;
  readonly watch?: boolean;
}

interface Schema<Value> {
  safeParse(
    value: unknown,
  ):
    | { readonly success: true; readonly data: Value }
    | { readonly success: false; readonly error: { readonly issues: readonly Issue[] } };
}

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

const issueText = ({ path, message }: Issue): string => `${path.length === 0 ? "" : `${path.join(".")}: `}${message}`;

/** Reads a JSON file that a schema accepts. */
const readJsonFile = <Value>(file: string, schema: Schema<Value>, what: string): Value => {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    throw new UsageError("file-unreadable", `"${file}" cannot be read. Give a JSON file with ${what}.`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UsageError("usage", `"${file}" is not valid JSON: ${(error as Error).message}.`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new UsageError(
    "usage",
    `"${file}" does not hold ${what}${issue === undefined ? "" : `: ${issueText(issue)}`}.`,
  );
};

const metricsText = (run: Run): string =>
  Object.entries(run.metrics)
    .map(([name, value]) => `${name} ${formatMetric(value)}`)
    .join("  ");

const table = (runs: readonly Run[]): string =>
  formatTable(
    ["run", "experiment", "state", "metrics", "registered", "created"],
    runs.map((run) => [
      run.id,
      run.experiment,
      run.state,
      metricsText(run),
      run.registered === null ? "" : `${run.registered.model}@${run.registered.version}`,
      run.createdAt,
    ]),
  );

const describe = (run: Run): string => {
  const reason = run.reason === null ? "" : `${run.reason.code}: ${run.reason.detail}\n`;
  const evaluation = run.evaluation === null ? "" : `\n${formatEvaluation(run.evaluation)}`;
  return `${table([run])}${reason}${evaluation}`;
};

const goesOn = ({ id }: Run): string => `\nThe run goes on. Watch it again with: modelyard runs watch ${id}\n`;

/**
 * Follows a run until it is over; Ctrl-C lets go of it.
 * @param onInterrupt Says what becomes of the run then; by default it goes on.
 */
export const watchToEnd = async (
  context: Context,
  run: Run,
  onInterrupt: (run: Run) => string = goesOn,
): Promise<Run> => {
  const { terminal, connection, json } = context;
  using reporter = createRunReporter(terminal, { quiet: json, batchSize: run.request.batchSize });
  try {
    return await connection.yard.runs.wait(run.id, reporter.report, { signal: terminal.interrupted });
  } catch (error) {
    if (!terminal.interrupted.aborted) throw error;
    reporter[Symbol.dispose]();
    terminal.err(onInterrupt(run));
    process.exitCode = exitCodes.interrupted;
    return connection.yard.runs.show(run.id);
  }
};

const finish = async (context: Context, run: Run): Promise<void> => {
  const ended = await watchToEnd(context, run);
  context.print(ended, describe(ended));
  if (ended.state === "failed" || ended.state === "canceled") process.exitCode = exitCodes.failed;
};

const addStart = (runs: Command, terminal: Terminal): void => {
  addCommand(runs, { usage: "start", about: "queue a training run" })
    .requiredOption("--experiment <name>", "question that the run belongs to")
    .requiredOption("--dataset <name@version>", "data to learn from")
    .requiredOption("--definition <file>", "JSON file with the model's layers")
    .option("--epochs <count>", "times through the data", wholeNumber(1))
    .option("--batch-size <count>", "samples per step", wholeNumber(1))
    .option("--optimizer <name>", "sgd, rmsprop, adam or adamw")
    .option("--learning-rate <rate>", "learning rate of the optimizer", positiveNumber)
    .option("--loss <name>", "loss (default: what suits the target)")
    .option("--seed <number>", "seed of weights, order and dropout", wholeNumber(0))
    .option("--model <name>", "model to register under (default: the experiment's name)")
    .option("--target <column>", "column to predict (default: the dataset's)")
    .option("--preprocessing <file>", "JSON file with the steps between the raw data and the network")
    .option("--slice <columns...>", "category columns to evaluate by as well")
    .option("--early-stopping <epochs>", "stop after so many epochs without a better val_loss", wholeNumber(1))
    .option("--watch", "follow the run until it ends")
    .action(async (options: StartOptions) => {
      const context = contextOf(terminal, options);
      const { optimizer = "adam", learningRate, earlyStopping } = options;
      const request: Parameters<typeof context.connection.yard.runs.start>[0] = {
        experiment: options.experiment,
        dataset: options.dataset,
        definition: readJsonFile(options.definition, ModelDefinition, "a model definition"),
        epochs: options.epochs,
        batchSize: options.batchSize,
        optimizer: learningRate === undefined ? optimizer : { name: optimizer, learningRate },
        loss: options.loss,
        seed: options.seed,
        model: options.model,
        target: options.target,
        preprocessing:
          options.preprocessing === undefined
            ? undefined
            : readJsonFile(options.preprocessing, PreprocessingStep.array(), "a list of preprocessing steps"),
        slices: options.slice === undefined ? undefined : [...options.slice],
        callbacks: earlyStopping === undefined ? undefined : [{ name: "early_stopping", patience: earlyStopping }],
      };
      const run = await context.connection.yard.runs.start(request);
      if (options.watch === true) return finish(context, run);
      context.print(run, `${table([run])}\nWatch it with: modelyard runs watch ${run.id}\n`);
    });
};

/** Adds `runs start|watch|list|show|cancel|resume|logs`. */
export const addRunCommands = (program: Command, terminal: Terminal): void => {
  const runs = program.command("runs").description("trainings");
  addStart(runs, terminal);
  addCommand(runs, { usage: "watch <id>", about: "follow a run until it ends" }).action(
    async (id: string, options: CommonOptions) => {
      const context = contextOf(terminal, options);
      await finish(context, await context.connection.yard.runs.show(id));
    },
  );
  addCommand(runs, { usage: "list", about: "list runs, newest first" })
    .option("--experiment <name>", "only of this experiment")
    .option("--state <state>", "only in this state")
    .action(async (options: CommonOptions & { experiment?: string; state?: Run["state"] }) => {
      const { connection, print } = contextOf(terminal, options);
      const page = await connection.yard.runs.list({
        limit: 100,
        experiment: options.experiment,
        state: options.state,
      });
      print(page, table(page.items));
    });
  addCommand(runs, { usage: "logs <id>", about: "show a run's log" }).action(
    async (id: string, options: CommonOptions) => {
      const { connection, print } = contextOf(terminal, options);
      const log = await connection.yard.runs.logs(id);
      print(log, log.items.map(({ time, level, message }) => `${time} ${level.padEnd(7)} ${message}\n`).join(""));
    },
  );
  addCommand(runs, { usage: "resume <id>", about: "resume a canceled or failed run from its last checkpoint" })
    .option("--learning-rate <rate>", "learning rate from there on", positiveNumber)
    .action(async (id: string, options: CommonOptions & { learningRate?: number }) => {
      const { connection, print } = contextOf(terminal, options);
      const run = await connection.yard.runs.resume(id, { learningRate: options.learningRate });
      print(run, describe(run));
    });
  const simple = [
    { verb: "show", about: "show a run and its evaluation" },
    { verb: "cancel", about: "cancel a run: it writes a checkpoint and ends; a second time ends it by force" },
  ] as const;
  for (const { verb, about } of simple) {
    addCommand(runs, { usage: `${verb} <id>`, about }).action(async (id: string, options: CommonOptions) => {
      const { connection, print } = contextOf(terminal, options);
      const run = await connection.yard.runs[verb](id);
      print(run, describe(run));
    });
  }
};
