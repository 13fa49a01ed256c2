import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { peerPython } from "../peer-environment.ts";
import type { networks } from "./networks.ts";
import { type BenchIo, median, type Ratio, type Scenario, spread } from "./scenario.ts";

const run = promisify(execFile);
/** What a user installs to train with us, beside Node. */
const ourPackages = ["onnxruntime-node", "onnxruntime-common", "protobufjs", "long", "zod", "fflate", "h5wasm"];
const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const rounds = 3;

interface Report {
  readonly samplesPerSecond: number;
  readonly secondsToFirstStep: number;
  readonly peakRssMB: number;
  /** Parts that our learner split each batch into. */
  readonly lanes?: number;
}

interface Case {
  readonly network: keyof typeof networks;
  readonly batch: number;
  /** Steps that are timed. */
  readonly steps: number;
  /** What our speed must be at least, in that of Keras and of PyTorch. */
  readonly bounds: { readonly keras: number; readonly torch: number };
}

const cases: readonly Case[] = [
  { network: "cnn", batch: 32, steps: 512, bounds: { keras: 1.5, torch: 1.5 } },
  { network: "cnn", batch: 128, steps: 128, bounds: { keras: 1.5, torch: 1.5 } },
  { network: "mlp", batch: 32, steps: 2048, bounds: { keras: 1.25, torch: 1.25 } },
  { network: "mlp", batch: 128, steps: 512, bounds: { keras: 1.25, torch: 1.25 } },
  { network: "lstm", batch: 32, steps: 128, bounds: { keras: 2.5, torch: 1.25 } },
  { network: "resnet", batch: 32, steps: 128, bounds: { keras: 0.9, torch: 1 } },
  { network: "transformer", batch: 32, steps: 128, bounds: { keras: 1.5, torch: 1 } },
];

const peers = ["keras", "torch"] as const;
type Trainer = (one: Case) => Promise<Report>;

const measured = async (command: string, args: readonly string[]): Promise<Report> => {
  const { stdout } = await run(command, args, { timeout: 600_000, maxBuffer: 1 << 24 });
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Report;
};

const ours: Trainer = ({ network, batch, steps }) =>
  measured(process.execPath, [path("train-network.ts"), network, `${batch}`, `${steps}`]);

/** A peer as a trainer; undefined when it cannot be installed. */
const peer = async (library: (typeof peers)[number], io: BenchIo): Promise<Trainer | undefined> => {
  const python = await peerPython(library, io);
  if (python === undefined) return undefined;
  const script = path("../peers/networks.py");
  return ({ network, batch, steps }) =>
    measured(python, [script, library, network, "--batch", `${batch}`, "--steps", `${steps}`]);
};

const figuresOf = (reports: readonly Report[]): Readonly<Record<string, unknown>> => ({
  samplesPerSecond: spread(reports.map(({ samplesPerSecond }) => samplesPerSecond)),
  secondsToFirstStep: median(reports.map(({ secondsToFirstStep }) => secondsToFirstStep)),
  peakRssMB: Math.max(...reports.map(({ peakRssMB }) => peakRssMB)),
  ...(reports[0]?.lanes !== undefined && { lanes: reports[0].lanes }),
});

const speed = (reports: readonly Report[]): number => median(reports.map(({ samplesPerSecond }) => samplesPerSecond));

const megabytes = async (folders: readonly string[]): Promise<number> => {
  const { stdout } = await run("du", ["-scm", ...folders]);
  return Number.parseInt(stdout.trim().split("\n").at(-1) ?? "", 10);
};

const installed = async (io: BenchIo, library: (typeof peers)[number]): Promise<Ratio> => {
  const [own, theirs] = await Promise.all([
    megabytes(ourPackages.map((name) => path(`../../node_modules/${name}`))),
    megabytes([join(io.cache, library)]),
  ]);
  return { value: theirs / own, atLeast: 10 };
};

/** Measures every kind of network beside the peers, in turns. */
export const scenario: Scenario = {
  name: "train-networks",
  summary:
    "MLP, CNN, LSTM, small ResNet and transformer encoder on random samples, beside Keras/TensorFlow and PyTorch",
  run: async (io) => {
    const trainers = { ours, keras: await peer("keras", io), torch: await peer("torch", io) };
    const figures: Record<string, unknown> = {};
    const ratios: Record<string, Ratio> = {};
    for (const one of cases) {
      const name = `${one.network}-${one.batch}`;
      const reports: Record<keyof typeof trainers, Report[]> = { ours: [], keras: [], torch: [] };
      for (let round = 0; round < rounds; round++) {
        for (const [library, train] of Object.entries(trainers) as [keyof typeof trainers, Trainer | undefined][]) {
          const report = await train?.(one);
          if (report === undefined) continue;
          reports[library].push(report);
          io.log(`${name} ${library}: ${report.samplesPerSecond.toFixed(0)} samples/s`);
        }
      }
      const present = (["ours", ...peers] as const).filter((library) => reports[library].length > 0);
      figures[name] = Object.fromEntries(present.map((library) => [library, figuresOf(reports[library])]));
      const firstStep = median(reports.ours.map(({ secondsToFirstStep }) => secondsToFirstStep));
      ratios[`${name}FirstStepAllowedOverTaken`] = { value: 1 / firstStep, atLeast: 1 };
      for (const library of peers) {
        // A peer that is missing fails the ratio instead of passing it over.
        const theirs = reports[library].length > 0 ? speed(reports[library]) : Number.POSITIVE_INFINITY;
        ratios[`${name}Over-${library}`] = { value: speed(reports.ours) / theirs, atLeast: one.bounds[library] };
        const memory = Math.max(...reports[library].map(({ peakRssMB }) => peakRssMB), 0);
        const own = Math.max(...reports.ours.map(({ peakRssMB }) => peakRssMB));
        ratios[`${name}HalfMemoryOf-${library}`] = { value: memory / 2 / own, atLeast: 1 };
      }
    }
    for (const library of peers.filter((name) => trainers[name] !== undefined)) {
      ratios[`installedSizeOf-${library}`] = await installed(io, library);
    }
    return { figures: { rounds, ...figures }, ratios };
  },
};
