import { openAsBlob } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import type { Command } from "commander";
import type { DatasetVersion, ImportEvent, SplitPlan } from "@modelyard/contracts";
import { decodeImage } from "@modelyard/platform";
import type { ImportFile } from "@modelyard/sdk";
import { addCommand, type CommonOptions, type Context, contextOf, wholeNumber } from "../command.ts";
import { UsageError } from "../failure.ts";
import { drawImages } from "../output/draw-image.ts";
import { formatBytes, formatCount, formatMetric } from "../output/numbers.ts";
import { startProgress } from "../output/progress.ts";
import { formatTable } from "../output/table.ts";
import type { Terminal } from "../terminal.ts";

interface ImportOptions extends CommonOptions {
  readonly format?: "idx" | "image-folder" | "csv" | "npy";
  readonly target?: string;
  readonly labels?: string;
  readonly split?: string;
  readonly seed?: number;
  readonly groupColumn?: string;
  readonly delimiter?: string;
}

/** Files below a path; a folder gives all of its files with their relative names. */
const filesAt = async (path: string): Promise<{ readonly path: string; readonly name: string }[]> => {
  const found = await stat(path).catch(() => {
    throw new UsageError("file-unreadable", `"${path}" cannot be read. Check the path.`);
  });
  if (!found.isDirectory()) return [{ path, name: basename(path) }];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && !entry.name.startsWith("."))
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted()
    .map((file) => ({ path: file, name: relative(path, file).replaceAll("\\", "/") }));
};

const formats: readonly (readonly [RegExp, NonNullable<ImportOptions["format"]>])[] = [
  [/-ubyte(\.gz)?$|\.idx(\.gz)?$/, "idx"],
  [/\.csv(\.gz)?$|\.tsv(\.gz)?$/, "csv"],
  [/\.npy$/, "npy"],
  [/\.(png|jpe?g|webp|gif|tiff?|avif)$/i, "image-folder"],
];

const guessFormat = (names: readonly string[]): NonNullable<ImportOptions["format"]> => {
  const found = formats.find(([pattern]) => names.some((name) => pattern.test(name)))?.[1];
  if (found !== undefined) return found;
  throw new UsageError("usage", "The files' names do not tell their format. Give --format idx|image-folder|csv|npy.");
};

/** `stratified:80/10/10`, `group:70/0/30`, `given`. */
const parseSplit = (text: string, options: ImportOptions): SplitPlan => {
  if (text === "given") return { by: "given" };
  const [, by, train, validation, test] = /^(random|stratified|group):(\d+)\/(\d+)\/(\d+)$/.exec(text) ?? [];
  if (by === undefined)
    throw new UsageError("usage", `"${text}" is no split. Write given, or e.g. stratified:80/10/10.`);
  const share = (part: string | undefined): number => Number(part) / 100;
  const group = options.groupColumn === undefined ? {} : { groupColumn: options.groupColumn };
  return {
    by: by as "random" | "stratified" | "group",
    train: share(train),
    validation: share(validation),
    test: share(test),
    seed: options.seed ?? 1,
    ...group,
  };
};

/** Imports files with a bar; returns the last event. */
export const importWithProgress = async (
  { connection, terminal, json }: Context,
  request: {
    readonly name: string;
    readonly options: Parameters<Context["connection"]["yard"]["datasets"]["import"]>[1];
    readonly files: readonly ImportFile[];
  },
): Promise<Extract<ImportEvent, { type: "completed" }>> => {
  const total = request.files.reduce(
    (sum, { content }) => sum + (content instanceof Blob ? content.size : content.byteLength),
    0,
  );
  using bar = startProgress(terminal, { label: "Importing", total: Math.max(total, 1), unit: "B", quiet: json });
  for await (const event of connection.yard.datasets.import(request.name, request.options, request.files)) {
    if (event.type === "completed") {
      bar.update(total, `${formatCount(event.version.rows)} rows`);
      return event;
    }
    if (event.type === "progress")
      bar.update(Math.min(event.bytes, total), `${event.phase}, ${formatCount(event.rows)} rows`);
  }
  throw new Error("the import ended without a result");
};

const describeVersion = (version: DatasetVersion): string => {
  const { split, leaks, columns } = version;
  const kinds = columns.map((column) => {
    const more =
      column.kind === "category"
        ? `${column.categories.length} categories`
        : column.kind === "image"
          ? `${column.height ?? "?"}×${column.width ?? "?"}×${column.channels}`
          : "";
    return [column.name, column.kind, more, column.name === version.target ? "target" : ""];
  });
  const leaked =
    leaks.duplicateRows === 0
      ? "no duplicates, no leak between the splits"
      : `${formatCount(leaks.duplicateRows)} duplicate rows, ${formatCount(leaks.acrossSplits)} contents in more than one split, ` +
        `${formatCount(leaks.conflictingLabels)} with different labels`;
  return (
    `${version.dataset}@${version.version}  ${formatCount(version.rows)} rows, ${formatBytes(version.bytes)}, ${version.format}\n` +
    `split (${split.plan.by}): train ${formatCount(split.train)}, validation ${formatCount(split.validation)}, test ${formatCount(split.test)}\n` +
    `check: ${leaked}\n\n${formatTable(["column", "kind", "", ""], kinds)}`
  );
};

/** A few rows of a version: pictures drawn, other values as a table. */
export const describeSamples = async (
  { connection, terminal }: Context,
  version: DatasetVersion,
  limit: number,
): Promise<string> => {
  const { items } = await connection.yard.datasets.samples(version.dataset, version.version, { limit });
  const image = version.columns.find((column) => column.kind === "image");
  if (image === undefined) {
    const names = version.columns.map(({ name }) => name).slice(0, 12);
    return formatTable(
      names,
      items.map(({ values }) => names.map((name) => String(values[name] ?? "–").slice(0, 24))),
    );
  }
  const pictures = [];
  for (const { values } of items) {
    const size = { height: Math.min(image.height ?? 28, 28), width: Math.min(image.width ?? 28, 28) };
    const decoded = await decodeImage(Buffer.from(String(values[image.name]), "base64"), { channels: 1, size });
    const caption = version.target === null ? "" : String(values[version.target] ?? "");
    pictures.push({ image: { ...size, pixels: decoded.data }, caption });
  }
  return drawImages(pictures, terminal);
};

const resolveVersion = async ({ connection }: Context, reference: string): Promise<DatasetVersion> => {
  const [name = "", version] = reference.split("@");
  if (version !== undefined) return connection.yard.datasets.show(name, Number(version));
  const { items } = await connection.yard.datasets.versions(name, { limit: 1 });
  const [newest] = items;
  if (newest === undefined) throw new UsageError("usage", `The dataset "${name}" has no version.`);
  return newest;
};

const addImport = (datasets: Command, terminal: Terminal): void => {
  addCommand(datasets, { usage: "import <name> <paths...>", about: "import files or a folder as a new version" })
    .option("--format <format>", "idx, image-folder, csv or npy (default: from the file names)")
    .option("--target <column>", "column to predict")
    .option("--labels <names>", "comma-separated names of the classes, in order (idx, npy)")
    .option("--split <plan>", "given, random:80/10/10, stratified:80/10/10 or group:80/10/10")
    .option("--seed <number>", "seed of the split", wholeNumber(0))
    .option("--group-column <column>", "column whose equal values stay together")
    .option("--delimiter <character>", "CSV only")
    .action(async (name: string, paths: string[], options: ImportOptions) => {
      const context = contextOf(terminal, options);
      const found = (await Promise.all(paths.map(filesAt))).flat();
      const files = await Promise.all(
        found.map(async (file) => ({ name: file.name, content: await openAsBlob(file.path) })),
      );
      const { target, delimiter } = options;
      const { version, created } = await importWithProgress(context, {
        name,
        options: {
          format: options.format ?? guessFormat(found.map((file) => file.name)),
          target,
          delimiter,
          labels: options.labels?.split(",").map((label) => label.trim()),
          split: options.split === undefined ? undefined : parseSplit(options.split, options),
        },
        files,
      });
      const note = created ? "" : "The same data was imported before; this is that version.\n";
      context.print({ created, version }, `${note}${describeVersion(version)}`);
    });
};

const addList = (datasets: Command, terminal: Terminal): void => {
  addCommand(datasets, { usage: "list", about: "list datasets with their newest versions" }).action(
    async (options: CommonOptions) => {
      const { connection, print } = contextOf(terminal, options);
      const page = await connection.yard.datasets.list({ limit: 500 });
      const rows = page.items.map(({ name, versions, latest }) => [
        name,
        versions,
        formatCount(latest.rows),
        latest.createdAt,
      ]);
      print(page, formatTable(["dataset", "versions", "rows", "newest"], rows));
    },
  );
};

const addShow = (datasets: Command, terminal: Terminal): void => {
  addCommand(datasets, { usage: "show <dataset>", about: "show a version: schema, splits, statistics and a few rows" })
    .option("--samples <count>", "rows to show", wholeNumber(0), 4)
    .action(async (reference: string, options: CommonOptions & { samples: number }) => {
      const context = contextOf(terminal, options);
      const version = await resolveVersion(context, reference);
      const profile = await context.connection.yard.datasets.profile(version.dataset, version.version);
      const rows = profile.columns.map((column) => [
        column.name,
        formatCount(column.count),
        formatCount(column.missing),
        formatMetric(column.mean),
        formatMetric(column.standardDeviation),
        formatMetric(column.minimum),
        formatMetric(column.maximum),
      ]);
      const balance = profile.columns
        .filter(({ name, categoryCounts }) => name === version.target && categoryCounts !== null)
        .map(({ categoryCounts }) =>
          formatTable(
            ["category", "rows"],
            (categoryCounts ?? []).map(({ category, count }) => [category, count]),
          ),
        );
      const samples =
        options.json === true || options.samples === 0 ? "" : await describeSamples(context, version, options.samples);
      const statistics = formatTable(["column", "rows", "missing", "mean", "deviation", "least", "most"], rows);
      context.print({ version, profile }, [describeVersion(version), statistics, ...balance, samples].join("\n"));
    });
};

/** Adds `datasets import|list|show`. */
export const addDatasetCommands = (program: Command, terminal: Terminal): void => {
  const datasets = program.command("datasets").description("versioned data");
  addImport(datasets, terminal);
  addList(datasets, terminal);
  addShow(datasets, terminal);
};
