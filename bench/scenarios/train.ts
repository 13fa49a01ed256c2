import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { peerPython } from "../peer-environment.ts";
import { type BenchIo, mean, median, type Scenario, spread } from "./scenario.ts";

const run = promisify(execFile);
const seeds = [1, 2, 3];
const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const data = path("../../examples/data/fashion-mnist");

interface Report {
  readonly imagesPerSecond: readonly number[];
  readonly testAccuracy: readonly number[];
  readonly peakRssMB: number;
}

/** Trains in a process of its own. */
type Trainer = (seed: number, epochs: number) => Promise<Report>;

const measured = async (command: string, args: readonly string[]): Promise<Report> => {
  const { stdout } = await run(command, args, { timeout: 600_000, maxBuffer: 1 << 24 });
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Report;
};

const ours: Trainer = (seed, epochs) =>
  measured(process.execPath, [path("train-learner.ts"), `${seed}`, `${epochs}`, data]);

/** A peer as a trainer; undefined when it cannot be installed. */
const peer = async (library: "keras" | "torch", io: BenchIo): Promise<Trainer | undefined> => {
  const python = await peerPython(library, io);
  if (python === undefined) return undefined;
  const script = path("../peers/train.py");
  return (seed, epochs) =>
    measured(python, [script, library, "--data", data, "--seed", `${seed}`, "--epochs", `${epochs}`]);
};

const speeds = (reports: readonly Report[]): number[] => reports.flatMap(({ imagesPerSecond }) => imagesPerSecond);
const accuracy = (reports: readonly Report[]): number => mean(reports.flatMap(({ testAccuracy }) => testAccuracy));

/** Measures the first lesson's network against Keras and PyTorch: one epoch a seed, in turns. */
export const scenario: Scenario = {
  name: "train",
  summary: "the first lesson's network on Fashion-MNIST, batch 32, beside Keras/TensorFlow and PyTorch",
  run: async (io) => {
    const trainers = { ours, keras: await peer("keras", io), torch: await peer("torch", io) };
    const reports: Record<keyof typeof trainers, Report[]> = { ours: [], keras: [], torch: [] };
    for (const seed of seeds) {
      for (const name of ["ours", "keras", "torch"] as const) {
        const report = await trainers[name]?.(seed, 1);
        if (report === undefined) continue;
        reports[name].push(report);
        io.log(`${name} seed ${seed}: ${report.imagesPerSecond[0]?.toFixed(0)} images/s, ${report.testAccuracy[0]}`);
      }
    }
    const five = await ours(1, 5);
    const present = (["keras", "torch"] as const).filter((name) => reports[name].length > 0);
    const fastest = Math.max(...present.map((name) => median(speeds(reports[name]))));
    const peakRssMB = Math.max(five.peakRssMB, ...reports.ours.map((report) => report.peakRssMB));
    const fiveEpochs = five.testAccuracy.at(-1) ?? 0;
    const figures = Object.fromEntries(
      (["ours", ...present] as const).map((name) => [
        name,
        {
          imagesPerSecond: spread(speeds(reports[name])),
          testAccuracy: accuracy(reports[name]),
          peakRssMB: Math.max(...reports[name].map((report) => report.peakRssMB)),
        },
      ]),
    );
    return {
      figures: {
        ...figures,
        fiveEpochs: five,
        peersMissing: (["keras", "torch"] as const).filter((name) => !present.includes(name)),
      },
      ratios: {
        speedOverFasterPeer: { value: present.length > 0 ? median(speeds(reports.ours)) / fastest : 0, atLeast: 1.5 },
        accuracyOver087: { value: accuracy(reports.ours) / 0.87, atLeast: 1 },
        fiveEpochsOver090: { value: fiveEpochs / 0.9, atLeast: 1 },
        memoryAllowedOverPeak: { value: 600 / peakRssMB, atLeast: 1 },
        ...(reports.keras.length > 0 && {
          accuracyToleranceOverGap: {
            value: 0.01 / Math.max(Math.abs(accuracy(reports.ours) - accuracy(reports.keras)), 1e-6),
            atLeast: 1,
          },
        }),
      },
    };
  },
};
