import { setTimeout as delay } from "node:timers/promises";
import type { TestPlatform } from "./platform.ts";

/** Process id of the control plane, or `null` while it has none. */
export const controlPlanePid = async ({ supervisor }: TestPlatform): Promise<number | null> =>
  (await supervisor.family.observe("control-plane"))[0]?.pid ?? null;

/** Kills the control plane, if there is one to kill. */
export const killControlPlane = async (platform: TestPlatform): Promise<void> => {
  const pid = await controlPlanePid(platform);
  if (pid !== null) process.kill(pid, "SIGKILL");
};

const givenUpAfterMs = 30_000;

/** Milliseconds until the control plane answers an operation again. @throws Error when it does not for half a minute. */
export const untilAnswering = async ({ yard }: TestPlatform): Promise<number> => {
  const startedMs = performance.now();
  while ((await yard.system.whoami().catch(() => null)) === null) {
    if (performance.now() - startedMs > givenUpAfterMs) throw new Error("the control plane does not come back");
    await delay(10);
  }
  return performance.now() - startedMs;
};
