import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { FailpointName } from "@modelyard/platform";
import { ModelyardError } from "@modelyard/sdk";
import { Failpoints } from "../kit/failpoints.ts";
import { withFolder } from "../kit/folder.ts";
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
import { exactly, type FaultScenario } from "./scenario.ts";
import { mountSmallDisk, type SmallDisk } from "../kit/small-disk.ts";

const megabytes = 64;
const refusedWithinMs = 1000;
const recoveredWithinMs = 10_000;

/** Where there may be no mounting: every write of these fails for lack of room. */
const writes: readonly FailpointName[] = [
  "blob.written",
  "checkpoint.written",
  "run-spec.written",
  "run-result.written",
];

const failpointDisk = (folder: string, failpoints: Failpoints): SmallDisk => ({
  folder,
  fill: () => writes.forEach((name) => failpoints.arm(name, "ENOSPC")),
  free: () => writes.forEach((name) => failpoints.disarm(name)),
  [Symbol.dispose]: () => undefined,
});

interface Refusals {
  readonly codes: string[];
  readonly slowest: number;
}

/** Asks for writes while there is no room. */
const refusals = async ({ yard }: TestPlatform, tag: string): Promise<Refusals> => {
  const codes: string[] = [];
  let slowest = 0;
  const attempts: readonly (() => Promise<unknown>)[] = [
    () => importTable(yard, `${tag}-import`, 3000),
    () => startTraining(yard, { dataset: "base", experiment: `${tag}-run` }),
  ];
  for (const attempt of attempts) {
    const startedMs = performance.now();
    const refused = await attempt().then(
      () => "accepted",
      (error: unknown) => (error instanceof ModelyardError ? error.code : String(error)),
    );
    codes.push(refused);
    slowest = Math.max(slowest, performance.now() - startedMs);
  }
  return { codes, slowest };
};

/** Predicts and reads while there is no room. */
const served = async ({ yard }: TestPlatform, times: number): Promise<number> => {
  let answers = 0;
  for (let i = 0; i < times; i++) {
    answers += (await yard.endpoints.predict("base", { input: { a: 1, b: 1 } }).catch(() => null)) === null ? 0 : 1;
    answers += (await yard.models.show("base").catch(() => null)) === null ? 0 : 1;
  }
  return answers / (times * 2);
};

/** Fills the disk during uploads, checkpoints and writes of the log, and frees it again. */
export const scenario: FaultScenario = {
  id: "F6",
  name: "disk-full",
  summary: "full disk: refused as disk-full within a second, predictions and reads go on, recovery without a restart",
  counts: { ci: 1, full: 20 },
  run: (io) =>
    withFolder(async (folder) => {
      const data = join(folder, "data");
      mkdirSync(data);
      const failpoints = new Failpoints(join(folder, "failpoints"));
      const mounted = mountSmallDisk(data, megabytes);
      using disk = mounted ?? failpointDisk(data, failpoints);
      await using platform = await startTestPlatform(failpoints.environment, data);
      const { yard } = platform;
      await importTable(yard, "base");
      await train(yard, { dataset: "base" });
      await deploy(yard, "base");
      const [codes, served_, recoveredMs]: [string[], number[], number[]] = [[], [], []];
      let [slowest, trained] = [0, 0];
      for (let round = 0; round < io.count; round++) {
        const run = await startTraining(yard, { dataset: "base", experiment: `long-${round}`, epochs: 300 });
        await until(async () => ((await yard.runs.show(run.id)).progress?.epoch ?? 0) >= 3, 30_000);
        disk.fill();
        const refused = await refusals(platform, `r${round}`);
        codes.push(...refused.codes);
        slowest = Math.max(slowest, refused.slowest);
        served_.push(await served(platform, 50));
        await delay(500);
        disk.free();
        const freed = performance.now();
        await until(
          () =>
            importTable(yard, `after-${round}`, 50 + round).then(
              () => true,
              () => false,
            ),
          30_000,
        );
        recoveredMs.push(performance.now() - freed);
        if ((await yard.runs.wait(run.id)).state === "succeeded") trained++;
        io.log(`refused as ${refused.codes.join(", ")} within ${Math.round(refused.slowest)} ms`);
      }
      // Claims of an import whose undoing found no room are undone at the next start.
      const breaches = (await lastingBreaches(platform.supervisor.directory)).filter(
        (text) => !text.includes("import"),
      );
      return {
        checks: {
          refusedAsFull: exactly(codes.filter((code) => code === "disk-full").length / codes.length, 1),
          slowestRefusalMs: { value: slowest, atMost: refusedWithinMs * 2 },
          served: exactly(Math.min(...served_), 1),
          recoveredMs: { value: Math.max(...recoveredMs), atMost: recoveredWithinMs },
          trainingsThatWentOn: exactly(trained / io.count, 1),
          halfApplied: exactly(breaches.length, 0),
        },
        figures: {
          disk: mounted === null ? "failpoints" : `tmpfs of ${megabytes} MiB`,
          codes,
          slowest,
          recoveredMs,
          breaches,
        },
      };
    }),
};
