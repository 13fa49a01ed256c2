/** Runs fault scenarios. Run: npm run faults -- NAME|ID|all [--full | --count N] [--seed N] [--json] */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type FaultResult, type FaultScenario, holds, loadScenarios, seededRandom } from "./scenario.ts";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    full: { type: "boolean", default: false },
    count: { type: "string" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    json: { type: "boolean", default: false },
  },
});

/** Appends to what earlier runs left, so that figures can be compared over time. */
const record = (scenario: FaultScenario, entry: unknown): void => {
  const folder = new URL("results/", import.meta.url);
  const file = fileURLToPath(new URL(`${scenario.id.toLowerCase()}-${scenario.name}.json`, folder));
  mkdirSync(folder, { recursive: true });
  const earlier = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as unknown[]) : [];
  writeFileSync(`${file}.tmp`, `${JSON.stringify([...earlier, entry], null, 1)}\n`);
  renameSync(`${file}.tmp`, file);
};

const scenarios = await loadScenarios();
const [wanted = ""] = positionals;
const chosen = scenarios.filter(
  ({ id, name }) => wanted === "all" || wanted === name || wanted.toUpperCase() === id.toUpperCase(),
);
if (chosen.length === 0) {
  const known = scenarios.map(({ id, name, summary }) => `  ${id.padEnd(4)} ${name}: ${summary}`).join("\n");
  console.error(`Name a scenario by its name or id, or "all":\n${known}`);
  process.exit(2);
}

const seed = Number(options.seed);
const [passed, failed]: [string[], string[]] = [[], []];
const ratios: Record<string, number> = {};
const figures: Record<string, unknown> = {};

/** What a scenario that broke off leaves: a failed check with the reason. */
const brokenOff = (error: unknown): FaultResult => ({
  checks: { completed: { value: 0, atLeast: 1 } },
  figures: { error: error instanceof Error ? (error.stack ?? error.message) : String(error) },
});

for (const scenario of chosen) {
  const count = Number(options.count ?? (options.full ? scenario.counts.full : scenario.counts.ci));
  const log = (line: string): void => console.error(`${scenario.id} ${line}`);
  log(`${scenario.name}: ${count} rounds, seed ${seed}`);
  const startedMs = performance.now();
  const result = await scenario.run({ count, random: seededRandom(seed), log }).catch(brokenOff);
  const seconds = Math.round((performance.now() - startedMs) / 100) / 10;
  const key = `${scenario.id}-${scenario.name}`;
  for (const [name, check] of Object.entries(result.checks)) {
    ratios[`${key}.${name}`] = check.value;
    (holds(check) ? passed : failed).push(`${key}.${name}`);
  }
  figures[key] = { count, seconds, ...result.figures };
  record(scenario, { at: new Date().toISOString(), node: process.version, seed, count, seconds, ...result });
}
const report = { passed: passed.length, failed: failed.length, failures: failed, ratios, figures };
console.log(options.json ? JSON.stringify(report) : JSON.stringify(report, null, 2));
process.exitCode = failed.length > 0 ? 1 : 0;
