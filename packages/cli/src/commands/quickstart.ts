import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import type { DatasetVersion, ModelVersion, Run } from "@modelyard/contracts";
import { conv2d, dense, flatten, input, maxPooling2d, rescaling, sequential } from "@modelyard/learn";
import { Modelyard, ModelyardError } from "@modelyard/sdk";
import { type Context, wholeNumber } from "../command.ts";
import { UsageError } from "../failure.ts";
import { formatEvaluation } from "../output/evaluation.ts";
import { formatCount, formatMetric } from "../output/numbers.ts";
import { formatTable } from "../output/table.ts";
import { paint, type Terminal } from "../terminal.ts";
import { describeSamples, importWithProgress } from "./datasets.ts";
import { waitUntilReady } from "./endpoints.ts";
import {
  type PlatformOptions,
  readConfig,
  startPlatform,
  untilInterrupted,
  withPlatformOptions,
} from "./platform-options.ts";
import { watchToEnd } from "./runs.ts";

interface QuickstartOptions extends PlatformOptions {
  readonly exit?: boolean;
  readonly epochs: number;
}

const name = "fashion";
const labels = [
  "T-shirt/top",
  "Trouser",
  "Pullover",
  "Dress",
  "Coat",
  "Sandal",
  "Shirt",
  "Sneaker",
  "Bag",
  "Ankle boot",
];
const files = [
  "train-images-idx3-ubyte.gz",
  "train-labels-idx1-ubyte.gz",
  "t10k-images-idx3-ubyte.gz",
  "t10k-labels-idx1-ubyte.gz",
];
/** The data lies in the published package, or in the repository. */
const published = new URL("../../data/fashion-mnist/", import.meta.url);
const folder = existsSync(published) ? published : new URL("../../../../examples/data/fashion-mnist/", import.meta.url);
const batchSize = 32;
const testImages = 10;

/** The network of the field's first lesson. */
const network = sequential([
  input({ shape: [28, 28, 1] }),
  rescaling({ scale: 1 / 255 }),
  conv2d({ filters: 32, kernelSize: 3, activation: "relu" }),
  maxPooling2d({ poolSize: 2 }),
  flatten(),
  dense({ units: 64, activation: "relu" }),
  dense({ units: 10, activation: "softmax" }),
]);

interface Classified {
  readonly label: string;
  readonly expected: string;
  readonly probability: number;
}

/** What a quickstart comes to. */
interface QuickstartResult {
  readonly imagesPerSecond: number;
  readonly trainSeconds: number;
  readonly testAccuracy: number | null;
  readonly testLoss: number | null;
  readonly model: string;
  readonly version: number;
  readonly endpoint: string;
  readonly predictions: readonly Classified[];
}

const readFiles = () =>
  files.map((file) => {
    try {
      return { name: file, content: Uint8Array.from(readFileSync(new URL(file, folder))) };
    } catch {
      throw new UsageError("file-unreadable", `${file} is missing. Run the quickstart in a clone of the repository.`);
    }
  });

/** Runs one thing after the other, each with a heading. */
class Quickstart {
  readonly #context: Context;
  #step = 0;

  constructor(context: Context) {
    this.#context = context;
  }

  say(text: string): void {
    if (!this.#context.json) this.#context.terminal.out(text);
  }

  heading(text: string): void {
    this.say(`\n${paint(this.#context.terminal, "bold", `${++this.#step}. ${text}`)}\n`);
  }

  async importData(): Promise<DatasetVersion> {
    this.heading("Data: Fashion-MNIST, 70,000 pictures of clothes in ten classes");
    const options = { format: "idx", labels, split: { by: "given" } } as const;
    const { version } = await importWithProgress(this.#context, { name, options, files: readFiles() });
    this.say(
      `${version.dataset}@${version.version}: ${formatCount(version.split.train)} to learn from, ${formatCount(version.split.test)} to test on\n\n`,
    );
    if (!this.#context.json) this.say(await describeSamples(this.#context, version, 4));
    return version;
  }

  async train(dataset: DatasetVersion, epochs: number): Promise<Run> {
    this.heading("Training: a convolutional network, on this machine's processor");
    const { runs } = this.#context.connection.yard;
    const reference = `${dataset.dataset}@${dataset.version}`;
    const run = await runs.start({ experiment: name, dataset: reference, definition: network, epochs, batchSize });
    const ended = await watchToEnd(
      this.#context,
      run,
      ({ id }) =>
        `\nStopping: the training writes a checkpoint. Go on later with: modelyard up, modelyard runs resume ${id}\n`,
    );
    if (ended.state !== "succeeded" && ended.reason !== null) {
      throw new ModelyardError({ ...ended.reason, status: 500, retryable: false });
    }
    return ended;
  }

  /** Makes the new version the one that answers. */
  async deploy(run: Run): Promise<ModelVersion> {
    const { models, endpoints } = this.#context.connection.yard;
    const { model = name, version = 1 } = run.registered ?? {};
    this.heading(`Service: ${model}@${version} behind an API`);
    const current = await models.show(model);
    if (!current.aliases.some(({ alias, version: at }) => alias === "champion" && at === version)) {
      await models.alias(model, "champion", { version });
    }
    await endpoints.create({ name, model: `${model}@champion` }).catch((error: unknown) => {
      // A second quickstart finds its endpoint; the moved alias rolls it over.
      if (!(error instanceof ModelyardError) || error.code !== "already-exists") throw error;
    });
    const endpoint = await waitUntilReady(this.#context, name);
    if (endpoint.version !== version) {
      throw new ModelyardError({
        code: "endpoint-not-ready",
        status: 503,
        detail: `The endpoint is ${endpoint.state}.`,
        retryable: true,
      });
    }
    return models.version(model, version);
  }

  async classify(dataset: DatasetVersion): Promise<Classified[]> {
    const { datasets, endpoints } = this.#context.connection.yard;
    const samples = await datasets.samples(dataset.dataset, dataset.version, { split: "test", limit: testImages });
    const found: Classified[] = [];
    for (const { values } of samples.items) {
      const image = Uint8Array.from(Buffer.from(String(values["image"]), "base64"));
      const [prediction] = (await endpoints.predict(name, { image })).predictions;
      const { label = "", probability = Number.NaN } = prediction ?? {};
      found.push({ label, expected: String(values["label"]), probability });
    }
    const mark = ({ label, expected }: Classified): string =>
      label === expected ? paint(this.#context.terminal, "green", "✓") : paint(this.#context.terminal, "red", "✗");
    const rows = found.map((one) => [mark(one), one.label, formatMetric(one.probability), one.expected]);
    this.say(`Ten test pictures, sent as PNG over HTTP:\n${formatTable(["", "answer", "probability", "truth"], rows)}`);
    return found;
  }
}

const curlLine = (url: string, adminKey: string): string =>
  `curl -s ${url}/api/v1/endpoints/${name}/predict -H "authorization: Bearer $(cat '${adminKey}')" ` +
  `-H "content-type: image/png" --data-binary @'${fileURLToPath(new URL("../ankle-boot.png", folder))}'`;

/** Time that the epochs took, without start and evaluation. */
const trainingSeconds = async ({ connection }: Context, run: Run): Promise<number> => {
  let milliseconds = 0;
  for await (const event of connection.yard.runs.watch(run.id))
    if (event.type === "epoch") milliseconds += event.durationMs;
  return milliseconds / 1000;
};

/** The whole way on a platform that runs; `null` when the user wants out before the end. */
const goTheWholeWay = async (context: Context, epochs: number): Promise<QuickstartResult | null> => {
  const quickstart = new Quickstart(context);
  quickstart.say(`Modelyard at ${paint(context.terminal, "bold", context.connection.url)}\n`);
  const dataset = await quickstart.importData();
  const run = await quickstart.train(dataset, epochs);
  if (context.terminal.interrupted.aborted) return null;
  if (run.evaluation !== null) {
    quickstart.heading("Evaluation");
    quickstart.say(formatEvaluation(run.evaluation));
  }
  const version = await quickstart.deploy(run);
  const predictions = await quickstart.classify(dataset);
  const trainSeconds = await trainingSeconds(context, run);
  const { evaluation } = version.artefact;
  return {
    imagesPerSecond: Math.round((dataset.split.train * epochs) / trainSeconds),
    trainSeconds,
    testAccuracy: evaluation?.kind === "classification" ? evaluation.accuracy : null,
    testLoss: evaluation?.loss ?? null,
    model: version.model,
    version: version.version,
    endpoint: name,
    predictions,
  };
};

const runQuickstart = async (options: QuickstartOptions, terminal: Terminal): Promise<void> => {
  const started = performance.now();
  await using platform = await startPlatform(readConfig(options, terminal));
  const { url, directory } = platform;
  const apiKey = readFileSync(directory.adminKey, "utf8").trim();
  const json = options.json === true;
  const context: Context = {
    terminal,
    json,
    connection: { url, apiKey, yard: new Modelyard({ url, apiKey }) },
    print: (value, text) => terminal.out(json ? `${JSON.stringify(value)}\n` : text),
  };
  const result = await goTheWholeWay(context, options.epochs);
  if (result === null) return;
  const totalSeconds = (performance.now() - started) / 1000;
  context.print(
    { ...result, totalSeconds },
    `\nDone in ${totalSeconds.toFixed(0)} s: ${formatCount(result.imagesPerSecond)} images/s, test accuracy ${formatMetric(result.testAccuracy)}.\n` +
      `Try it yourself while it serves:\n\n${curlLine(url, directory.adminKey)}\n`,
  );
  if (!terminal.interactive || options.exit === true || json) return;
  terminal.err("\nServing until Ctrl-C.\n");
  await untilInterrupted(terminal);
};

/** Adds `quickstart`. */
export const addQuickstartCommand = (program: Command, terminal: Terminal): void => {
  withPlatformOptions(
    program
      .command("quickstart")
      .description("the whole way in a minute: data, training, evaluation, service, predictions"),
  )
    .option("--exit", "end when done, also on a terminal")
    .option("--epochs <count>", "times through the data", wholeNumber(1), 1)
    .action((options: QuickstartOptions) => runQuickstart(options, terminal));
};
