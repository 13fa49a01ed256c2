import { setTimeout as delay } from "node:timers/promises";
import { Failpoints } from "../kit/failpoints.ts";
import { startTestPlatform, type TestPlatform, until } from "../kit/platform.ts";
import { withFolder } from "../kit/folder.ts";
import { exactly, type FaultIo, type FaultScenario } from "./scenario.ts";
import { importImages, startCase, type TrainingCase, trainingCases } from "./training-cases.ts";
import { outcomeOf, sameOutcome, type TrainingOutcome } from "./training-outcome.ts";

const killsPerRun = 2;
const checkpointSteps = ["checkpoint.opened", "checkpoint.written", "checkpoint.renamed"] as const;

const trainerPid = async ({ supervisor }: TestPlatform): Promise<number | null> =>
  (await supervisor.family.observe("runs")).find(({ state }) => state === "ready")?.pid ?? null;

/** Kills the trainer from outside at whatever step a random moment finds it; whether there was one to kill. */
const killAtRandom = async (platform: TestPlatform, id: string, random: () => number): Promise<boolean> => {
  const before = (await platform.yard.runs.show(id)).progress;
  await until(async () => {
    const { state, progress } = await platform.yard.runs.show(id);
    return state !== "running" && state !== "queued" ? true : progress !== null && progress !== before;
  }, 30_000);
  await delay(random() * 250);
  const pid = await trainerPid(platform);
  if (pid === null) return false;
  process.kill(pid, "SIGKILL");
  return true;
};

interface Tally {
  kills: number;
  duringCheckpoint: number;
  runs: number;
  equal: number;
  attempts: number[];
}

const interruptedRun = async (
  { platform, failpoints, io }: { platform: TestPlatform; failpoints: Failpoints; io: FaultIo },
  training: TrainingCase,
  tally: Tally,
): Promise<TrainingOutcome> => {
  const step = checkpointSteps[Math.floor(io.random() * checkpointSteps.length)] ?? "checkpoint.written";
  failpoints.arm(step, `kill@${1 + Math.floor(io.random() * 12)}`);
  const { id } = await startCase(platform.yard, training);
  for (let kill = 1; kill < killsPerRun; kill++) if (await killAtRandom(platform, id, io.random)) tally.kills++;
  const outcome = await outcomeOf(platform, id);
  if (failpoints.hit(step)) [tally.kills, tally.duringCheckpoint] = [tally.kills + 1, tally.duringCheckpoint + 1];
  failpoints.disarm(step);
  return outcome;
};

/** Kills trainings and compares what they come to with what the same trainings come to when nobody kills them. */
export const scenario: FaultScenario = {
  id: "F4",
  name: "kill-trainer",
  summary:
    "kill -9 of the trainer at random steps and during checkpoint writes; weights, history and generators stay equal",
  counts: { ci: 10, full: 100 },
  run: (io) =>
    withFolder(async (folder) => {
      const failpoints = new Failpoints(`${folder}-failpoints`);
      await using platform = await startTestPlatform(failpoints.environment, folder);
      await importImages(platform.yard, "images");
      const whole = new Map<string, TrainingOutcome>();
      const tally: Tally = { kills: 0, duringCheckpoint: 0, runs: 0, equal: 0, attempts: [] };
      const unequal: string[] = [];
      for (let round = 0; tally.kills < io.count; round++) {
        const training = trainingCases[round % trainingCases.length];
        if (training === undefined) break;
        if (!whole.has(training.name)) {
          whole.set(training.name, await outcomeOf(platform, (await startCase(platform.yard, training)).id));
        }
        const [expected, killed] = [
          whole.get(training.name),
          await interruptedRun({ platform, failpoints, io }, training, tally),
        ];
        tally.runs++;
        tally.attempts.push(killed.attempts);
        if (expected !== undefined && sameOutcome(expected, killed)) tally.equal++;
        else unequal.push(training.name);
        io.log(`${training.name}: ${killed.attempts} attempts, ${tally.kills} kills so far`);
      }
      return {
        checks: {
          equalRuns: exactly(tally.equal / tally.runs, 1),
          casesCovered: { value: whole.size, atLeast: Math.min(trainingCases.length, 5) },
          killsDuringCheckpoint: { value: tally.duringCheckpoint, atLeast: 1 },
        },
        figures: { ...tally, unequal },
      };
    }),
};
