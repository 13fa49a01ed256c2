import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { controlPlanePid, killControlPlane, untilAnswering } from "../kit/control-plane.ts";
import { lastingBreaches } from "../kit/invariants.ts";
import {
  deploy,
  importTable,
  startTestPlatform,
  startTraining,
  type TestPlatform,
  train,
  until,
} from "../kit/platform.ts";
import { exactly, type FaultIo, type FaultScenario, percentile } from "./scenario.ts";
import { auditWrites, writeUntil } from "./writers.ts";

/** Time that the control plane stays away at the end, while predictions go on. */
const awayMs = { short: 5_000, long: 60_000 } as const;
const fullFrom = 100;
const longestPauseMs = 900;
/** Two seconds on a machine that starts Node in 40 ms; the ratio holds on a busy one too. */
const readyOverBareMax = 50;

/** Predicts one after another until the signal. */
const predictUntil = async ({ yard }: TestPlatform, signal: AbortSignal) => {
  const tally = { predictions: 0, failed: [] as string[] };
  while (!signal.aborted) {
    try {
      await yard.endpoints.predict("base", { input: { a: 1, b: 1 } });
      tally.predictions++;
    } catch (error) {
      tally.failed.push(String(error));
    }
    await delay(5);
  }
  return tally;
};

/** Has the one place for trainings taken by one that stands still, so that queued runs cost no time. */
const blockTrainings = async ({ yard, supervisor }: TestPlatform): Promise<Disposable> => {
  await startTraining(yard, { dataset: "base", experiment: "blocker", epochs: 100_000 });
  const pid = async () => (await supervisor.family.observe("runs")).find(({ state }) => state === "ready")?.pid ?? null;
  await until(async () => (await pid()) !== null, 30_000);
  const stopped = (await pid()) ?? 0;
  process.kill(stopped, "SIGSTOP");
  return { [Symbol.dispose]: () => void process.kill(stopped, "SIGKILL") };
};

/** Milliseconds that Node takes here and now to start and do nothing: what other processes leave of the machine. */
const bareStartMs = async (): Promise<number> => {
  const startedMs = performance.now();
  await once(spawn(process.execPath, ["-e", "0"], { stdio: "ignore" }), "close");
  return performance.now() - startedMs;
};

/** Time to ready of each round, and of a Node that does nothing. */
interface StartTimes {
  readonly readyMs: number[];
  readonly bareMs: number[];
}

const killRounds = async (platform: TestPlatform, io: FaultIo): Promise<StartTimes> => {
  const [readyMs, bareMs]: [number[], number[]] = [[], []];
  for (let round = 1; round <= io.count; round++) {
    await delay(io.random() * longestPauseMs);
    await killControlPlane(platform);
    const dead = performance.now();
    await delay(20);
    await untilAnswering(platform);
    readyMs.push(performance.now() - dead);
    bareMs.push(await bareStartMs());
    if (round % 10 === 0) io.log(`round ${round}: ready after ${Math.round(readyMs.at(-1) ?? 0)} ms`);
  }
  return { readyMs, bareMs };
};

/** Kills the control plane whenever it has come back. */
const keepAway = async (platform: TestPlatform, forMs: number): Promise<void> => {
  const endMs = performance.now() + forMs;
  while (performance.now() < endMs) {
    if ((await controlPlanePid(platform)) !== null) await killControlPlane(platform);
    await delay(20);
  }
};

/** Kills the control plane under concurrent writers and compares what they were told with what is there. */
export const scenario: FaultScenario = {
  id: "F1",
  name: "kill-control-plane",
  summary: "kill -9 of the control plane at random moments under concurrent writers and predictions",
  counts: { ci: 10, full: 500 },
  run: async (io) => {
    await using platform = await startTestPlatform();
    await importTable(platform.yard, "base");
    await train(platform.yard, { dataset: "base" });
    await deploy(platform.yard, "base");
    using _ = await blockTrainings(platform);
    const [stopWriting, stopPredicting] = [new AbortController(), new AbortController()];
    const predicting = predictUntil(platform, stopPredicting.signal);
    const writing = writeUntil(platform, stopWriting.signal);
    const { readyMs, bareMs } = await killRounds(platform, io);
    await keepAway(platform, io.count >= fullFrom ? awayMs.long : awayMs.short);
    stopPredicting.abort();
    const { predictions, failed } = await predicting;
    stopWriting.abort();
    const log = await writing.done;
    await untilAnswering(platform);
    const { lost, doubled } = await auditWrites(platform, log);
    const breaches = await lastingBreaches(platform.supervisor.directory);
    const acknowledged = Object.values(log.acknowledged).flat().length;
    return {
      checks: {
        lost: exactly(lost.length, 0),
        doubled: exactly(doubled.length, 0),
        halfApplied: exactly(breaches.length, 0),
        refusals: exactly(log.refusals.length, 0),
        failedPredictions: exactly(failed.length, 0),
        writesEachRound: { value: acknowledged / io.count, atLeast: 1 },
        readyOverBareStart: { value: percentile(readyMs, 0.5) / percentile(bareMs, 0.5), atMost: readyOverBareMax },
      },
      figures: {
        rounds: io.count,
        acknowledged,
        retries: log.retries,
        predictions,
        bareMs: percentile(bareMs, 0.5),
        readyMs: { p50: percentile(readyMs, 0.5), p99: percentile(readyMs, 0.99), most: Math.max(...readyMs) },
        lost,
        doubled,
        breaches: breaches.slice(0, 20),
        failed: failed.slice(0, 5),
        refusals: log.refusals.slice(0, 5),
      },
    };
  },
};
