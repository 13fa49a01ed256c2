import { readFile, writeFile } from "node:fs/promises";
import { startTestPlatform, type TestPlatform, until } from "../kit/platform.ts";
import { exactly, type FaultScenario } from "./scenario.ts";
import { importImages, startCase, type TrainingCase, trainingCases } from "./training-cases.ts";
import { checkpointFiles, outcomeOf, sameOutcome, type TrainingOutcome } from "./training-outcome.ts";

/** What befalls the newest checkpoint. */
type Damage = (bytes: Uint8Array, random: () => number) => Uint8Array;

const flipBit: Damage = (bytes, random) => {
  const damaged = Uint8Array.from(bytes);
  const at = Math.floor(random() * damaged.length);
  damaged[at] = (damaged[at] ?? 0) ^ (1 << Math.floor(random() * 8));
  return damaged;
};

const damages: Readonly<Record<string, Damage>> = {
  "flipped bit": flipBit,
  truncation: (bytes, random) => bytes.subarray(0, Math.floor(random() * bytes.length)),
  "nothing left": () => new Uint8Array(0),
  "more than was written": (bytes) => Uint8Array.from([...bytes, 0]),
  none: (bytes) => bytes,
};

const triesMax = 5;

/** Starts a training and cancels it by hand; one that is over before that is started again. */
const canceled = async ({ yard }: TestPlatform, training: TrainingCase): Promise<string> => {
  for (let tries = 0; tries < triesMax; tries++) {
    const { id } = await startCase(yard, training);
    await until(async () => ((await yard.runs.show(id)).progress?.epoch ?? 0) >= 3, 30_000);
    await yard.runs.cancel(id).catch(() => null);
    if ((await yard.runs.wait(id)).state === "canceled") return id;
  }
  throw new Error(`${training.name} was always over before it could be canceled`);
};

/** Damages checkpoints of trainings that were canceled by hand, resumes them, and compares how they end. */
export const scenario: FaultScenario = {
  id: "F5",
  name: "damaged-checkpoint",
  summary: "newest checkpoint truncated or bit-flipped: the one before is used, the log says so, the end is the same",
  counts: { ci: 6, full: 60 },
  run: async (io) => {
    await using platform = await startTestPlatform();
    await importImages(platform.yard, "images");
    const whole = new Map<string, TrainingOutcome>();
    let [equal, told] = [0, 0];
    const kinds = Object.keys(damages);
    for (let round = 0; round < io.count; round++) {
      const training = trainingCases[round % trainingCases.length];
      const kind = kinds[round % kinds.length] ?? "none";
      const damage = damages[kind];
      if (training === undefined || damage === undefined) break;
      const id = await canceled(platform, training);
      const files = await checkpointFiles(platform, id);
      // Every third round nothing usable is left at all.
      const damaged = round % 3 === 2 ? files : files.slice(0, 1);
      for (const file of damaged) await writeFile(file, damage(await readFile(file), io.random));
      await platform.yard.runs.resume(id);
      const resumed = await outcomeOf(platform, id);
      const expected =
        whole.get(training.name) ?? (await outcomeOf(platform, (await startCase(platform.yard, training)).id));
      whole.set(training.name, expected);
      if (sameOutcome(expected, resumed)) equal++;
      const warned = resumed.warnings.filter((line) => line.includes("does not match its digest")).length;
      if (warned === (kind === "none" ? 0 : damaged.length)) told++;
      io.log(`${training.name}, ${kind}: ${warned} warnings`);
    }
    return {
      checks: { equalRuns: exactly(equal / io.count, 1), damageTold: exactly(told / io.count, 1) },
      figures: { runs: io.count, equal, told },
    };
  },
};
