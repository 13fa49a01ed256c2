import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Config, loadConfig, startSupervisor, type Supervisor } from "@modelyard/platform";
import { Modelyard } from "@modelyard/sdk";

const folder = new URL("../examples/data/fashion-mnist/", import.meta.url);
const files = [
  "train-images-idx3-ubyte.gz",
  "train-labels-idx1-ubyte.gz",
  "t10k-images-idx3-ubyte.gz",
  "t10k-labels-idx1-ubyte.gz",
];

/** A platform in a temporary folder, with what a scenario needs of it. */
export interface BenchPlatform extends AsyncDisposable {
  readonly supervisor: Supervisor;
  readonly apiKey: string;
  readonly yard: Modelyard;
  /** Milliseconds until it took requests. */
  readonly startMs: number;
}

/** Starts a platform. @param dataDirectory Kept when given, else temporary. */
export const startBenchPlatform = async (dataDirectory?: string): Promise<BenchPlatform> => {
  const data = dataDirectory ?? (await mkdtemp(join(tmpdir(), "modelyard-bench-")));
  const config: Config = loadConfig({ flags: { dataDirectory: data, port: 0 } }).config;
  const started = performance.now();
  const supervisor = await startSupervisor({ config, onLine: () => {} });
  const startMs = performance.now() - started;
  const apiKey = (await readFile(supervisor.directory.adminKey, "utf8")).trim();
  return {
    supervisor,
    apiKey,
    yard: new Modelyard({ url: supervisor.url, apiKey }),
    startMs,
    [Symbol.asyncDispose]: async () => {
      await supervisor[Symbol.asyncDispose]();
      if (dataDirectory === undefined) await rm(data, { recursive: true, force: true });
    },
  };
};

/** Imports Fashion-MNIST; returns the seconds from the request to the last event. */
export const importFashion = async ({ yard }: BenchPlatform, name: string): Promise<number> => {
  const content = await Promise.all(
    files.map(async (file) => ({ name: file, content: Uint8Array.from(await readFile(new URL(file, folder))) })),
  );
  const started = performance.now();
  for await (const _ of yard.datasets.import(name, { format: "idx", split: { by: "given" } }, content));
  return (performance.now() - started) / 1000;
};
