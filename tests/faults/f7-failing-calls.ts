import type { FailpointName } from "@modelyard/platform";
import { Failpoints } from "../kit/failpoints.ts";
import { withFolder } from "../kit/folder.ts";
import { lastingBreaches } from "../kit/invariants.ts";
import { importTable, startTestPlatform, train } from "../kit/platform.ts";
import { failpointCases } from "./failpoint-cases.ts";
import { exactly, type FaultScenario } from "./scenario.ts";

/** Calls that fail, and whether the request that needed them must be refused. */
const calls: readonly { readonly name: FailpointName; readonly refused: boolean }[] = [
  { name: "blob.opened", refused: true },
  { name: "blob.written", refused: true },
  { name: "blob.renamed", refused: true },
  { name: "run-spec.opened", refused: true },
  { name: "run-spec.written", refused: true },
  { name: "run-spec.renamed", refused: true },
  // A training is taken up again instead.
  { name: "checkpoint.written", refused: false },
  { name: "checkpoint.renamed", refused: false },
  { name: "run-result.written", refused: false },
];
const codes = ["EIO", "EMFILE", "ENOSPC"] as const;

/** Has open, write, fsync and rename fail once, and looks whether anything was acknowledged that is not there. */
export const scenario: FaultScenario = {
  id: "F7",
  name: "failing-calls",
  summary:
    "open, fsync and rename fail with EIO, EMFILE, ENOSPC: never acknowledged, nothing half done, the next attempt works",
  counts: { ci: 9, full: 200 },
  run: (io) =>
    withFolder(async (folder) => {
      const failpoints = new Failpoints(`${folder}/failpoints`);
      await using platform = await startTestPlatform(failpoints.environment, `${folder}/data`);
      await importTable(platform.yard, "base");
      await train(platform.yard, { dataset: "base" });
      const broken: string[] = [];
      for (let round = 0; round < io.count; round++) {
        const call = calls[round % calls.length];
        const code = codes[Math.floor(io.random() * codes.length)] ?? "EIO";
        if (call === undefined) break;
        const context = { platform, tag: `${call.name.replaceAll(".", "-")}-${round}`, rows: 40 + round };
        const failpointCase = failpointCases[call.name];
        await failpointCase.prepare?.(context);
        failpoints.arm(call.name, `${code}@1`);
        const acknowledged = await failpointCase.act(context).then(
          () => true,
          () => false,
        );
        const hit = failpoints.hit(call.name);
        failpoints.disarm(call.name);
        if (!hit) broken.push(`${context.tag}: the call was not made`);
        if (acknowledged && call.refused) broken.push(`${context.tag}: acknowledged though ${code}`);
        if (!(await failpointCase.holds(context))) broken.push(`${context.tag}: the guarantee does not hold`);
        broken.push(...(await lastingBreaches(platform.supervisor.directory)));
        io.log(`${call.name} fails with ${code}`);
      }
      return { checks: { broken: exactly(broken.length, 0) }, figures: { calls: io.count, broken } };
    }),
};
