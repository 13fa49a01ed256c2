import { cpSync, readdirSync, rmSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { runCommand } from "../kit/command-line.ts";
import { withFolder } from "../kit/folder.ts";
import { lastingBreaches } from "../kit/invariants.ts";
import { deploy, importTable, startTestPlatform, type TestPlatform, train } from "../kit/platform.ts";
import { exactly, type FaultScenario, percentile } from "./scenario.ts";
import { auditWrites, writeUntil, type WriteLog } from "./writers.ts";

const cli = async (...args: readonly string[]): Promise<{ readonly code: number | null; readonly err: string }> =>
  runCommand([...args, "--json"]);

/** Writes whose acknowledgement came before a moment; writers write one after another. */
const before = (log: WriteLog, counts: Readonly<Record<string, number>>): WriteLog => ({
  ...log,
  acknowledged: Object.fromEntries(
    Object.entries(log.acknowledged).map(([kind, names]) => [kind, names.slice(0, counts[kind])]),
  ),
});

/** What is wrong with a platform that runs on a restored directory; `lost` are writes that came before the backup. */
const faultsOf = async (restored: TestPlatform, log: WriteLog, counts: Readonly<Record<string, number>>) => {
  const { lost, doubled } = await auditWrites(restored, before(log, counts));
  const all = await auditWrites(restored, log);
  // What came during the backup may be missing, but then all that came after it is missing too.
  const gaps = Object.values(log.acknowledged).filter((names) => {
    const missing = names.map((name) => all.lost.includes(name));
    return missing.includes(true) && missing.slice(missing.indexOf(true)).includes(false);
  });
  const breaches = await lastingBreaches(restored.supervisor.directory);
  return { lost: lost.length, doubled: doubled.length, gaps: gaps.length, breaches };
};

/** Whether a restore refuses a backup in which one file was cut short, and leaves nothing. */
const refusesDamage = async (backup: string, folder: string): Promise<boolean> => {
  const damaged = join(folder, "damaged");
  rmSync(damaged, { recursive: true, force: true });
  cpSync(backup, damaged, { recursive: true });
  truncateSync(join(damaged, "data", "modelyard.db"), 4096);
  const { code } = await cli("restore", damaged, "--data", join(folder, "never"));
  return code !== 0 && !readdirSync(folder).includes("never");
};

/** Backs up under writers, restores elsewhere, and starts a platform there. */
export const scenario: FaultScenario = {
  id: "F22",
  name: "backup",
  summary: "backup while writing, restore elsewhere: a consistent prefix with proved digests, which serves",
  counts: { ci: 2, full: 20 },
  run: (io) =>
    withFolder(async (folder) => {
      await using platform = await startTestPlatform({}, join(folder, "data"));
      await importTable(platform.yard, "base");
      await train(platform.yard, { dataset: "base" });
      await deploy(platform.yard, "base");
      const [restoreMs, faults]: [number[], unknown[]] = [[], []];
      let [served, refused] = [0, 0];
      for (let round = 0; round < io.count; round++) {
        const stop = new AbortController();
        const writing = writeUntil(platform, stop.signal, `r${round}`);
        await delay(300 + io.random() * 700);
        const counts = writing.counts();
        const backup = join(folder, `backup-${round}`);
        const { code, err } = await cli("backup", backup, "--data", join(folder, "data"));
        stop.abort();
        const log = await writing.done;
        if (code !== 0) throw new Error(`the backup failed: ${err}`);
        const startedMs = performance.now();
        const elsewhere = join(folder, `restored-${round}`);
        await cli("restore", backup, "--data", elsewhere);
        await using restored = await startTestPlatform({}, elsewhere);
        restoreMs.push(performance.now() - startedMs);
        const found = await faultsOf(restored, log, counts);
        if (found.lost + found.doubled + found.gaps + found.breaches.length > 0) faults.push(found);
        const answer = await restored.yard.endpoints.predict("base", { input: { a: 1, b: 1 } });
        served += answer.predictions.length;
        if (await refusesDamage(backup, folder)) refused++;
        io.log(
          `restored ${log.acknowledged["run"]?.length ?? 0} runs and more in ${Math.round(restoreMs.at(-1) ?? 0)} ms`,
        );
      }
      return {
        checks: {
          consistent: exactly(faults.length, 0),
          served: exactly(served / io.count, 1),
          damageRefused: exactly(refused / io.count, 1),
        },
        figures: { restoreToReadyMs: percentile(restoreMs, 0.5), faults },
      };
    }),
};
