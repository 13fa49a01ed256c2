import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { startBenchPlatform } from "../platform.ts";
import { median, type Scenario, spread } from "./scenario.ts";

const startsMeasured = 5;
const settleMs = 3000;
const megabytesMax = 250;
const startMsMax = 2000;

const residentMegabytes = async (pid: number): Promise<number> => {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN) / 1024;
};

/** Measures what the platform takes when nobody asks for anything, and how fast it starts. */
export const scenario: Scenario = {
  name: "idle",
  summary: "memory of gateway and control plane at rest, and time from start to ready",
  run: async (io) => {
    const folder = await mkdtemp(join(tmpdir(), "modelyard-idle-"));
    const [starts, memory]: [number[], number[]] = [[], []];
    // The first start makes the database and the key; the figure is for later ones.
    await (await startBenchPlatform(folder))[Symbol.asyncDispose]();
    for (let round = 0; round < startsMeasured; round++) {
      await using platform = await startBenchPlatform(folder);
      starts.push(platform.startMs);
      await delay(settleMs);
      let total = 0;
      for (const group of ["gateway", "control-plane"]) {
        const [member] = await platform.supervisor.family.observe(group);
        total += await residentMegabytes(member?.pid ?? 0);
      }
      memory.push(total);
      io.log(`start ${round + 1}: ${Math.round(platform.startMs)} ms, ${Math.round(total)} MB`);
    }
    await rm(folder, { recursive: true, force: true });
    return {
      figures: { startMs: spread(starts), residentMB: spread(memory) },
      ratios: {
        startAllowedOverTaken: { value: startMsMax / median(starts), atLeast: 1 },
        memoryAllowedOverTaken: { value: megabytesMax / median(memory), atLeast: 1 },
      },
    };
  },
};
