import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { conv2d, dense, flatten, input, maxPooling2d, rescaling, sequential } from "@modelyard/learn";
import { type BenchPlatform, importFashion, startBenchPlatform } from "../platform.ts";
import { peerPython } from "../peer-environment.ts";
import { type BenchIo, median, type Scenario, spread } from "./scenario.ts";

const run = promisify(execFile);
const rounds = 3;
const secondsPerLoad = 4;
const peerPort = 8799;
const requestsMin = 6000;
const latencyMsMax = 1;

interface Target {
  readonly url: string;
  readonly script: string;
}

interface Load {
  readonly requestsPerSecond: number;
  readonly medianMs: number;
  readonly p99Ms: number;
}

const milliseconds = (text: string | undefined): number => {
  const [, value, unit] = /([\d.]+)(us|ms|s)/.exec(text ?? "") ?? [];
  const factor = { us: 1e-3, ms: 1, s: 1e3 }[unit ?? "ms"] ?? 1;
  return Number(value) * factor;
};

const load = async ({ url, script }: Target, clients: number): Promise<Load> => {
  const { stdout } = await run("wrk", ["-t1", `-c${clients}`, `-d${secondsPerLoad}s`, "--latency", "-s", script, url]);
  const failed = /Non-2xx or 3xx responses: (\d+)|Socket errors: (.*)/.exec(stdout);
  if (failed !== null) throw new Error(`${url} did not answer every request: ${failed[0]}`);
  return {
    requestsPerSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]),
    medianMs: milliseconds(/^\s+50%\s+(\S+)/m.exec(stdout)?.[1]),
    p99Ms: milliseconds(/^\s+99%\s+(\S+)/m.exec(stdout)?.[1]),
  };
};

const network = sequential([
  input({ shape: [28, 28, 1] }),
  rescaling({ scale: 1 / 255 }),
  conv2d({ filters: 32, kernelSize: 3, activation: "relu" }),
  maxPooling2d({ poolSize: 2 }),
  flatten(),
  dense({ units: 64, activation: "relu" }),
  dense({ units: 10, activation: "softmax" }),
]);

/** Trains and deploys the first lesson's network; returns its graph for the peer. */
const deploy = async (platform: BenchPlatform): Promise<Uint8Array> => {
  const { yard } = platform;
  await importFashion(platform, "fashion");
  const started = await yard.runs.start({ experiment: "fashion", dataset: "fashion@1", definition: network });
  await yard.runs.wait(started.id);
  await yard.endpoints.create({ name: "fashion", model: "fashion@champion" });
  while ((await yard.endpoints.show("fashion")).state !== "ready") await delay(50);
  return yard.models.export("fashion", 1);
};

const writeScript = async (file: string, apiKey: string | null): Promise<void> => {
  const data = Array.from({ length: 784 }, (_, i) => ((i * 7) % 256).toFixed(4));
  const body = `{"inputs":[{"name":"x","shape":[1,28,28,1],"datatype":"FP32","data":[${data.join(",")}]}]}`;
  const key = apiKey === null ? "" : `wrk.headers["authorization"] = "Bearer ${apiKey}"\n`;
  await writeFile(
    file,
    `wrk.method = "POST"\nwrk.body = '${body}'\nwrk.headers["content-type"] = "application/json"\n${key}`,
  );
};

/** Starts the peer on the same graph; undefined when it cannot be installed. */
const startPeer = async (io: BenchIo, model: string): Promise<(Target & AsyncDisposable) | undefined> => {
  const python = await peerPython("fastapi", io);
  if (python === undefined) return undefined;
  const server = spawn(
    python,
    ["-m", "uvicorn", "serve_fastapi:app", "--workers", "2", "--port", String(peerPort), "--no-access-log"],
    {
      cwd: fileURLToPath(new URL("../peers/", import.meta.url)),
      env: { ...process.env, BENCH_MODEL: model },
      stdio: "ignore",
    },
  );
  const ended = new Promise<void>((resolve) => void server.once("exit", () => resolve()));
  const url = `http://127.0.0.1:${peerPort}`;
  for (let tries = 0; tries < 200; tries++) {
    if ((await fetch(`${url}/ready`).catch(() => null))?.ok === true) break;
    await delay(100);
  }
  const script = join(dirname(model), "peer.lua");
  await writeScript(script, null);
  return {
    url: `${url}/infer`,
    script,
    [Symbol.asyncDispose]: async () => {
      server.kill();
      await ended;
    },
  };
};

const figuresOf = (loads: readonly Load[]) => ({
  requestsPerSecond: spread(loads.map(({ requestsPerSecond }) => requestsPerSecond)),
  medianMs: spread(loads.map(({ medianMs }) => medianMs)),
  p99Ms: spread(loads.map(({ p99Ms }) => p99Ms)),
});

/** Measures one prediction and many at once, with the key checked, beside FastAPI with ONNX Runtime. */
export const scenario: Scenario = {
  name: "serve",
  summary: "28×28 images as Open Inference JSON at 1 and 16 clients, beside FastAPI + ONNX Runtime (needs wrk)",
  run: async (io) => {
    const folder = await mkdtemp(join(tmpdir(), "modelyard-serve-"));
    await using platform = await startBenchPlatform();
    const graph = join(folder, "fashion.onnx");
    await writeFile(graph, await deploy(platform));
    const ours = { url: `${platform.supervisor.url}/v2/models/fashion/infer`, script: join(folder, "ours.lua") };
    await writeScript(ours.script, platform.apiKey);
    await using peer = await startPeer(io, graph);
    const loads: Record<string, Load[]> = { ours1: [], ours16: [], fastapi1: [], fastapi16: [] };
    for (let round = 0; round < rounds; round++) {
      for (const [name, target] of [
        ["ours", ours],
        ["fastapi", peer],
      ] as const) {
        if (target === undefined) continue;
        for (const clients of [1, 16]) {
          const result = await load(target, clients);
          loads[`${name}${clients}`]?.push(result);
          io.log(
            `${name}, ${clients} clients: ${Math.round(result.requestsPerSecond)} requests/s, median ${result.medianMs} ms`,
          );
        }
      }
    }
    await rm(folder, { recursive: true, force: true });
    const requests = (name: string): number =>
      median((loads[name] ?? []).map(({ requestsPerSecond }) => requestsPerSecond));
    const latency = (name: string): number => median((loads[name] ?? []).map(({ medianMs }) => medianMs));
    const against =
      peer === undefined
        ? { throughputOverFastApi: { value: 0, atLeast: 1 } }
        : {
            throughputOverFastApi: { value: requests("ours16") / requests("fastapi16"), atLeast: 1 },
            fastApiLatencyOverOurs: { value: latency("fastapi1") / latency("ours1"), atLeast: 1 },
          };
    return {
      figures: Object.fromEntries(
        Object.entries(loads)
          .filter(([, list]) => list.length > 0)
          .map(([name, list]) => [name, figuresOf(list)]),
      ),
      ratios: {
        throughputOver6000: { value: requests("ours16") / requestsMin, atLeast: 1 },
        latencyAllowedOverTaken: { value: latencyMsMax / latency("ours1"), atLeast: 1 },
        ...against,
      },
    };
  },
};
