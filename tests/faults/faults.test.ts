import { describe, expect, it } from "vitest";
import { holds, loadScenarios, seededRandom } from "./scenario.ts";

/** Every fault of this folder with its small count; `npm run faults -- NAME --full` runs the large one. */
const scenarios = await loadScenarios();

describe("the platform survives", () => {
  it("every fault that has a scenario", () => expect(scenarios.length).toBeGreaterThan(0));

  it.each(scenarios.map((scenario) => [scenario.id, scenario.name, scenario] as const))(
    "%s %s",
    { timeout: 600_000 },
    async (_, __, scenario) => {
      const log = (line: string): void => console.error(`${scenario.id} ${line}`);
      const { checks, figures } = await scenario.run({ count: scenario.counts.ci, random: seededRandom(1), log });
      const broken = Object.entries(checks).filter(([, check]) => !holds(check));
      expect(broken, JSON.stringify(figures)).toEqual([]);
    },
  );
});
