import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Endpoint, Run } from "@modelyard/contracts";
import { dense, input, sequential } from "@modelyard/learn";
import { loadConfig, startSupervisor, type Supervisor } from "@modelyard/platform";
import { Modelyard } from "@modelyard/sdk";

/** A whole platform of its own, in a temporary folder on a free port. */
export interface TestPlatform extends AsyncDisposable {
  readonly supervisor: Supervisor;
  readonly url: string;
  readonly apiKey: string;
  readonly yard: Modelyard;
  /** What its processes logged. */
  readonly lines: readonly string[];
}

/** Starts a platform: real processes, a real database, real sockets. */
export const startTestPlatform = async (
  environment: Record<string, string> = {},
  folder?: string,
): Promise<TestPlatform> => {
  const dataDirectory = folder ?? (await mkdtemp(join(tmpdir(), "modelyard-e2e-")));
  const lines: string[] = [];
  const { config } = loadConfig({ flags: { dataDirectory, port: 0 }, environment });
  const supervisor = await startSupervisor({
    config,
    onLine: (process, line) => void lines.push(`${process} ${line}`),
  });
  const apiKey = (await readFile(supervisor.directory.adminKey, "utf8")).trim();
  return {
    supervisor,
    url: supervisor.url,
    apiKey,
    yard: new Modelyard({ url: supervisor.url, apiKey }),
    lines,
    [Symbol.asyncDispose]: async () => {
      await supervisor[Symbol.asyncDispose]();
      if (folder === undefined) await rm(dataDirectory, { recursive: true, force: true });
    },
  };
};

/** Asks again until a condition holds. @throws Error after `withinMs`. */
export const until = async (condition: () => Promise<boolean> | boolean, withinMs: number): Promise<void> => {
  const endMs = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error(`the condition did not hold within ${withinMs} ms`);
    await new Promise((done) => setTimeout(done, 20));
  }
};

/** Rows of a small table that two lines can tell apart: y is `high` where a + b > 0. */
const table = (rows: number): string => {
  const lines = ["a,b,y"];
  for (let row = 0; row < rows; row++) {
    const [a, b] = [Math.sin(row * 12.9898) * 2, Math.sin(row * 78.233) * 2];
    lines.push(`${a.toFixed(4)},${b.toFixed(4)},${a + b > 0 ? "high" : "low"}`);
  }
  return `${lines.join("\n")}\n`;
};

/** Imports the small table under a name. */
export const importTable = async (yard: Modelyard, name: string, rows = 400): Promise<void> => {
  const content = new TextEncoder().encode(table(rows));
  for await (const _ of yard.datasets.import(name, { format: "csv", target: "y" }, [{ name: "t.csv", content }]));
};

/** Starts a training on the small table. */
export const startTraining = (
  yard: Modelyard,
  request: {
    readonly dataset: string;
    readonly experiment?: string;
    readonly epochs?: number;
    readonly seed?: number;
  },
  options: { readonly idempotencyKey?: string } = {},
): Promise<Run> => {
  const definition = sequential([
    input({ shape: [2] }),
    dense({ units: 16, activation: "relu" }),
    dense({ units: 2, activation: "softmax" }),
  ]);
  const { dataset, experiment = dataset, epochs = 3, seed = 1 } = request;
  const training = { experiment, dataset: `${dataset}@1`, definition, epochs, seed, batchSize: 16 };
  return yard.runs.start(training, options);
};

/** Trains on the small table and waits for the end. */
export const train = async (yard: Modelyard, request: Parameters<typeof startTraining>[1]): Promise<Run> =>
  yard.runs.wait((await startTraining(yard, request)).id);

/** Deploys a model and waits until it serves. */
export const deploy = async (yard: Modelyard, name: string, replicas = 1): Promise<Endpoint> => {
  await yard.endpoints.create({ name, model: `${name}@champion`, replicas });
  await until(async () => (await yard.endpoints.show(name)).state === "ready", 20_000);
  return yard.endpoints.show(name);
};
