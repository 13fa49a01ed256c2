import { openAsBlob, readFileSync, writeFileSync } from "node:fs";
import { basename, extname } from "node:path";
import type { Command } from "commander";
import type { LanguageModel, Model, ModelVersion } from "@modelyard/contracts";
import { addCommand, type CommonOptions, type Context, contextOf } from "../command.ts";
import { UsageError } from "../failure.ts";
import { formatEvaluation } from "../output/evaluation.ts";
import { formatBytes, formatCount, formatMetric } from "../output/numbers.ts";
import { formatTable } from "../output/table.ts";
import type { Terminal } from "../terminal.ts";

const unreadable = (file: string): UsageError =>
  new UsageError("file-unreadable", `"${file}" cannot be read. Check the path and its permissions.`);

const readText = (file: string): string => {
  try {
    return readFileSync(file, "utf8");
  } catch {
    throw unreadable(file);
  }
};

/** A file as a blob that is read only as it is sent. */
const openFile = async (file: string): Promise<Blob> => {
  try {
    return await openAsBlob(file);
  } catch {
    throw unreadable(file);
  }
};

/** A name for a model from its file's: `Llama 3.gguf` is `llama-3`. */
const modelNameOf = (file: string): string =>
  basename(file, extname(file))
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, "-")
    .replaceAll(/^[^a-z0-9]+|[^a-z0-9]+$/g, "")
    .slice(0, 63);

const aliasesText = ({ aliases }: Model): string =>
  aliases.map(({ alias, version }) => `${alias}→${version}`).join(" ");

const versionRow = (version: ModelVersion): (string | number)[] => {
  const { evaluation } = version.artefact;
  const score =
    evaluation === null
      ? ""
      : evaluation.kind === "classification"
        ? `accuracy ${formatMetric(evaluation.accuracy)}`
        : `MAE ${formatMetric(evaluation.meanAbsoluteError)}`;
  return [version.version, score, formatBytes(version.bytes), version.aliases.join(" "), version.createdAt];
};

const versionTable = (versions: readonly ModelVersion[]): string =>
  formatTable(["version", "score", "size", "aliases", "created"], versions.map(versionRow));

/** The version that `name@alias` or `name@version` names. */
const resolve = async ({ connection }: Context, reference: string): Promise<ModelVersion> => {
  const [name = "", selector = ""] = reference.split("@");
  if (/^\d+$/.test(selector)) return connection.yard.models.version(name, Number(selector));
  const model = await connection.yard.models.show(name);
  const found = model.aliases.find(({ alias }) => alias === selector);
  if (found !== undefined) return connection.yard.models.version(name, found.version);
  throw new UsageError(
    "usage",
    `"${reference}" names no version. Aliases of ${name}: ${aliasesText(model) || "none"}.`,
  );
};

type Step = ModelVersion["artefact"]["preprocessing"][number];

const columnsShown = 6;

/** A step with the columns or the size that it works on. */
const stepText = (step: Step): string => {
  if (step.step === "grayscale") return step.step;
  if (step.step === "resize" || step.step === "crop") return `${step.step} ${step.height}×${step.width}`;
  const { columns } = step;
  const rest = columns.length > columnsShown ? ` and ${columns.length - columnsShown} more` : "";
  return `${step.step} ${columns.slice(0, columnsShown).join(", ")}${rest}`;
};

/** What a language model is, and the memory that serving it takes. */
const languageFacts = (model: LanguageModel): [string, string | number][] => [
  ["architecture", model.architecture],
  ["parameters", formatCount(model.parameters)],
  ["context", `${model.contextLength} tokens`],
  ["quantization", model.quantization],
  ["vocabulary", model.vocabularySize],
  ["chat template", model.chatTemplate === null ? "none" : `${model.chatTemplate.length} characters`],
  ["memory: weights", formatBytes(model.weightBytes)],
  ["memory: one full sequence", formatBytes(model.keyValueBytesPerToken * model.contextLength)],
];

const describeVersion = (version: ModelVersion): string => {
  const { lineage, evaluation, signature, languageModel } = version.artefact;
  const origin =
    "run" in lineage
      ? [
          ["dataset", `${lineage.dataset} (${lineage.datasetDigest})`],
          ["run", lineage.run],
          ["seed", lineage.seed],
        ]
      : [
          ["imported from", lineage.importedFrom],
          ["made by", lineage.producer],
        ];
  const takes =
    signature === null
      ? []
      : [
          ["input", signature.input.kind],
          ["preprocessing", version.artefact.preprocessing.map(stepText).join(" → ") || "none"],
          ["output", signature.output.kind],
        ];
  const language = languageModel === undefined ? [] : languageFacts(languageModel);
  const facts = [["digest", version.digest], ...origin, ...takes, ...language];
  return `${versionTable([version])}\n${formatTable(["", ""], facts)}${evaluation === null ? "" : `\n${formatEvaluation(evaluation)}`}`;
};

const addReading = (models: Command, terminal: Terminal): void => {
  addCommand(models, { usage: "list", about: "list models" }).action(async (options: CommonOptions) => {
    const { connection, print } = contextOf(terminal, options);
    const page = await connection.yard.models.list({ limit: 500 });
    const rows = page.items.map((model) => [model.name, model.versions, aliasesText(model), model.createdAt]);
    print(page, formatTable(["model", "versions", "aliases", "created"], rows));
  });
  addCommand(models, {
    usage: "show <model>",
    about: "show a model (name), or one version (name@alias, name@version)",
  }).action(async (reference: string, options: CommonOptions) => {
    const context = contextOf(terminal, options);
    if (reference.includes("@")) {
      const version = await resolve(context, reference);
      return context.print(version, describeVersion(version));
    }
    const model = await context.connection.yard.models.show(reference);
    const versions = await context.connection.yard.models.versions(reference, { limit: 100 });
    context.print(
      { model, versions: versions.items },
      `${model.name}  ${aliasesText(model)}\n\n${versionTable(versions.items)}`,
    );
  });
  addCommand(models, {
    usage: "compare <a> <b>",
    about: "compare two versions, e.g. fashion@1 fashion@champion",
  }).action(async (a: string, b: string, options: CommonOptions) => {
    const context = contextOf(terminal, options);
    const [left, right] = [await resolve(context, a), await resolve(context, b)];
    if (left.model !== right.model) throw new UsageError("usage", "Both versions must be of the same model.");
    const comparison = await context.connection.yard.models.compare(left.model, { a: left.version, b: right.version });
    const metrics = comparison.metrics.map((metric) => [
      metric.name,
      formatMetric(metric.a),
      formatMetric(metric.b),
      formatMetric(metric.difference),
    ]);
    const changes = comparison.changes.map((change) => [
      change.path,
      JSON.stringify(change.a),
      JSON.stringify(change.b),
    ]);
    context.print(
      comparison,
      `${formatTable(["figure", a, b, "difference"], metrics)}\n${formatTable(["changed", a, b], changes)}`,
    );
  });
};

const addAlias = (models: Command, terminal: Terminal): void => {
  addCommand(models, {
    usage: "alias <model> <alias> [version]",
    about: "show an alias' history, or point it at a version",
  }).action(async (...given: [model: string, alias: string, version: string | undefined, options: CommonOptions]) => {
    const [model, alias, version, options] = given;
    const { connection, print } = contextOf(terminal, options);
    if (version !== undefined) {
      if (!/^\d+$/.test(version)) throw new UsageError("usage", `"${version}" is no version. Give its number.`);
      const move = await connection.yard.models.alias(model, alias, { version: Number(version) });
      return print(
        move,
        `${model}@${alias} names version ${move.to} now${move.from === null ? "" : `, before ${move.from}`}.\n`,
      );
    }
    const page = await connection.yard.models.aliasHistory(model, alias, { limit: 100 });
    const rows = page.items.map((move) => [move.at, move.from ?? "–", move.to, move.by ?? "platform"]);
    print(page, formatTable(["at", "from", "to", "by"], rows));
  });
};

const addLive = (models: Command, terminal: Terminal): void => {
  addCommand(models, { usage: "live <model>", about: "show which version each alias names, now or at a moment" })
    .option("--at <moment>", "moment (ISO 8601), e.g. 2026-11-25T12:00:00Z")
    .action(async (model: string, options: CommonOptions & { at?: string }) => {
      const { connection, print } = contextOf(terminal, options);
      const live = await connection.yard.models.live(model, { at: options.at });
      const rows = live.items.map(({ alias, version, since }) => [alias, version, since]);
      print(live, `At ${live.at}:\n\n${formatTable(["alias", "version", "since"], rows)}`);
    });
};

const addExport = (models: Command, terminal: Terminal): void => {
  addCommand(models, {
    usage: "export <model>",
    about: "save a version's graph (name@alias, name@version) as it is served",
  })
    .option("-o, --output <file>", "file to write (default: name-version.onnx or .gguf)")
    .action(async (reference: string, options: CommonOptions & { output?: string }) => {
      const context = contextOf(terminal, options);
      const version = await resolve(context, reference);
      const bytes = await context.connection.yard.models.export(version.model, version.version);
      const extension = version.artefact.languageModel === undefined ? "onnx" : "gguf";
      const file = options.output ?? `${version.model}-${version.version}.${extension}`;
      writeFileSync(file, bytes);
      context.print({ file, bytes: bytes.byteLength }, `${file}  ${formatBytes(bytes.byteLength)}\n`);
    });
};

const classNames = (file: string): string[] =>
  readText(file)
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");

interface RegisterOptions extends CommonOptions {
  readonly name?: string;
  readonly labels?: string;
  readonly logits?: boolean;
  readonly chatTemplate?: string;
}

const addRegister = (models: Command, terminal: Terminal): void => {
  addCommand(models, {
    usage: "register <file>",
    about: "register an ONNX or GGUF file as the next version of a model",
  })
    .option("--name <model>", "name of the model (default: the file's name)")
    .option("--labels <file>", "names of the classes, one a line, in the order of the graph's one output")
    .option("--logits", "the output holds logits, not probabilities")
    .option("--chat-template <file>", "Jinja template for a language model, in place of the file's own")
    .action(async (file: string, options: RegisterOptions) => {
      const context = contextOf(terminal, options);
      const name = options.name ?? modelNameOf(file);
      const content = await openFile(file);
      const version = await context.connection.yard.models.register(
        name,
        {
          ...(options.labels === undefined ? {} : { labels: classNames(options.labels) }),
          ...(options.chatTemplate === undefined ? {} : { chatTemplate: readText(options.chatTemplate) }),
          scores: options.logits === true ? "logits" : "probabilities",
        },
        { name: basename(file), content },
      );
      context.print(
        version,
        `${describeVersion(version)}\nServe it with: modelyard endpoints create ${name} --model ${name}@${version.version}\n`,
      );
    });
};

/** Adds `models list|show|register|compare|alias|live|export`. */
export const addModelCommands = (program: Command, terminal: Terminal): void => {
  const models = program.command("models").description("models, their versions and aliases");
  addReading(models, terminal);
  addAlias(models, terminal);
  addLive(models, terminal);
  addExport(models, terminal);
  addRegister(models, terminal);
};
