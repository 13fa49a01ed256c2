import { join } from "node:path";
import { runCommand, startCommand } from "../kit/command-line.ts";
import { withFolder } from "../kit/folder.ts";
import { importTable, startTestPlatform, until } from "../kit/platform.ts";
import { exactly, type FaultScenario } from "./scenario.ts";

/** Starts a second platform on a data directory that a first one has, and kills the first one whole. */
export const scenario: FaultScenario = {
  id: "F24",
  name: "two-owners",
  summary: "a second process on one data directory is refused with the reason; after kill -9 of the first it starts",
  counts: { ci: 1, full: 20 },
  run: async (io) => {
    let [refused, unharmed, tookOver] = [0, 0, 0];
    for (let round = 0; round < io.count; round++) {
      await withFolder(async (folder) => {
        const data = join(folder, "data");
        const first = startCommand(["up", "--data", data, "--port", "0", "--json"]);
        await until(() => first.printed().includes("url"), 60_000);
        const second = await runCommand(["up", "--data", data, "--port", "0", "--json"]);
        if (second.code !== 0 && second.out.includes("data-directory-in-use")) refused++;
        const { url } = JSON.parse(first.printed().split("\n")[0] ?? "{}") as { url: string };
        if ((await fetch(`${url}/readyz`)).ok) unharmed++;
        first.signal("SIGKILL");
        await first.ended;
        // Members hear from the closed channel that their supervisor is gone and end by themselves.
        await using third = await startTestPlatform({}, data);
        await importTable(third.yard, "after", 30);
        if ((await third.yard.datasets.versions("after")).items.length === 1) tookOver++;
      });
      io.log(`round ${round + 1}`);
    }
    const share = (count: number) => exactly(count / io.count, 1);
    return {
      checks: { refused: share(refused), firstUnharmed: share(unharmed), thirdTookOver: share(tookOver) },
      figures: { rounds: io.count },
    };
  },
};
