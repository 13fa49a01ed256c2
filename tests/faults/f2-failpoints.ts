import { setTimeout as delay } from "node:timers/promises";
import { type FailpointName, failpointNames } from "@modelyard/platform";
import { Failpoints } from "../kit/failpoints.ts";
import { withFolder } from "../kit/folder.ts";
import { lastingBreaches } from "../kit/invariants.ts";
import { importTable, startTestPlatform, type TestPlatform, train, until } from "../kit/platform.ts";
import { type CaseContext, type FailpointCase, failpointCases } from "./failpoint-cases.ts";
import { exactly, type FaultScenario } from "./scenario.ts";

const within = 30_000;

/** A killed process is known to be gone after this. */
const noticedMs = 200;

/** Waits until every process of the platform is there again and the control plane answers. */
const untilWhole = async ({ yard, supervisor }: TestPlatform): Promise<void> => {
  await delay(noticedMs);
  const up = async (): Promise<boolean> => {
    const members = await Promise.all(["gateway", "control-plane"].map((group) => supervisor.family.observe(group)));
    const ready = members.flat().every(({ state }) => state === "ready");
    return ready && (await yard.system.whoami().catch(() => null)) !== null;
  };
  await until(up, within);
};

/** What does not hold after a process died at a failpoint; an empty list is what is wanted. */
const faultsOf = async (name: FailpointName, failpoints: Failpoints, context: CaseContext): Promise<string[]> => {
  const faults: string[] = [];
  if (!failpoints.hit(name)) faults.push("the failpoint was not passed");
  await untilWhole(context.platform);
  if (!(await failpointCases[name].holds(context))) faults.push("the guarantee does not hold");
  faults.push(...(await lastingBreaches(context.platform.supervisor.directory)));
  return faults;
};

const runCase = async (name: FailpointName, failpoints: Failpoints, context: CaseContext): Promise<string[]> => {
  const failpointCase: FailpointCase = failpointCases[name];
  await failpointCase.prepare?.(context);
  failpoints.arm(name, "kill@1");
  // The process dies meanwhile: what the caller gets of it is not what is looked at.
  await Promise.race([
    failpointCase.act(context).catch(() => null),
    until(() => failpoints.hit(name), within).catch(() => null),
  ]);
  await until(() => failpoints.hit(name), within).catch(() => null);
  return faultsOf(name, failpoints, context);
};

const runFirstStart = (name: FailpointName): Promise<string[]> =>
  withFolder(async (folder) => {
    const failpoints = new Failpoints(`${folder}/failpoints`);
    failpointCases[name].beforeStart?.(`${folder}/data`);
    failpoints.arm(name, "kill@1");
    await using platform = await startTestPlatform(failpoints.environment, `${folder}/data`);
    return await faultsOf(name, failpoints, { platform, tag: "first", rows: 40 });
  });

/** Has a process die at every failpoint once and looks at what is there when it is back. */
export const scenario: FaultScenario = {
  id: "F2",
  name: "failpoints",
  summary:
    "kill -9 at every named failpoint of every operation of more than one step: nothing lost, doubled or half done",
  counts: { ci: 1, full: 5 },
  run: (io) =>
    withFolder(async (folder) => {
      const failpoints = new Failpoints(`${folder}/failpoints`);
      await using platform = await startTestPlatform(failpoints.environment, `${folder}/data`);
      await importTable(platform.yard, "base");
      await train(platform.yard, { dataset: "base" });
      const broken: Record<string, readonly string[]> = {};
      let [passed, rows] = [0, 40];
      for (let round = 0; round < io.count; round++) {
        for (const name of failpointNames) {
          const startedMs = performance.now();
          const tag = `${name.replaceAll(".", "-")}-${round}`;
          const faults = await (
            failpointCases[name].atFirstStart === true
              ? runFirstStart(name)
              : runCase(name, failpoints, { platform, tag, rows: ++rows })
          ).catch((error: unknown) => [String(error)]);
          failpoints.disarm(name);
          if (faults.length === 0) passed++;
          else broken[tag] = faults;
          io.log(
            `${name}: ${faults.length === 0 ? "holds" : faults.join("; ")} (${Math.round(performance.now() - startedMs)} ms)`,
          );
        }
      }
      const cases = failpointNames.length * io.count;
      return { checks: { failpointsHeld: exactly(passed / cases, 1) }, figures: { cases, passed, broken } };
    }),
};
