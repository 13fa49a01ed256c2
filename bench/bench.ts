/** Measures scenarios beside their peers. Run: npm run bench -- NAME|all [--json] */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import type { BenchIo, Measurement, Scenario } from "./scenarios/scenario.ts";

const folder = new URL("scenarios/", import.meta.url);

const loadScenarios = async (): Promise<ReadonlyMap<string, Scenario>> => {
  const found = new Map<string, Scenario>();
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".ts"))) {
    if (!/^export const scenario\b/m.test(readFileSync(new URL(file, folder), "utf8"))) continue;
    const { scenario } = (await import(new URL(file, folder).href)) as { scenario: Scenario };
    found.set(scenario.name, scenario);
  }
  return found;
};

const machine = (): Readonly<Record<string, unknown>> => ({
  cpu: cpus()[0]?.model,
  cores: cpus().length,
  memoryMB: Math.round(totalmem() / 2 ** 20),
  node: process.version,
});

/** Appends to what earlier runs left. */
const record = (name: string, entry: unknown): void => {
  const file = fileURLToPath(new URL(`results/${name}.json`, import.meta.url));
  mkdirSync(new URL("results/", import.meta.url), { recursive: true });
  const earlier = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as unknown[]) : [];
  writeFileSync(`${file}.tmp`, `${JSON.stringify([...earlier, entry], null, 1)}\n`);
  renameSync(`${file}.tmp`, file);
};

const measure = async (scenario: Scenario, io: BenchIo): Promise<Measurement> => {
  const loadBefore = loadavg()[0];
  const result = await scenario.run(io);
  const measurement = { figures: { ...result.figures, loadBefore }, ratios: result.ratios };
  record(scenario.name, { at: new Date().toISOString(), machine: machine(), ...measurement });
  return measurement;
};

const [name, ...flags] = process.argv.slice(2);
const scenarios = await loadScenarios();
const chosen = [...scenarios.values()].filter((scenario) => name === "all" || scenario.name === name);
if (chosen.length === 0) {
  const known = [...scenarios.values()].map((scenario) => `  ${scenario.name}: ${scenario.summary}`).join("\n");
  console.error(`Name a scenario, or "all":\n${known}`);
  process.exit(2);
}
const json = flags.includes("--json");
const cache = fileURLToPath(new URL("../.bench/", import.meta.url));
const io: BenchIo = { cache, log: (line) => console.error(line) };
const figures: Record<string, unknown> = {};
const ratios: Record<string, number> = {};
const [passed, failed]: [string[], string[]] = [[], []];
for (const scenario of chosen) {
  const result = await measure(scenario, io);
  figures[scenario.name] = result.figures;
  for (const [key, { value, atLeast }] of Object.entries(result.ratios)) {
    const full = `${scenario.name}.${key}`;
    ratios[full] = value;
    (value >= atLeast ? passed : failed).push(full);
  }
}
const report = { passed: passed.length, failed: failed.length, ratios, figures, machine: machine() };
if (!json) console.log(JSON.stringify({ ...report, failures: failed }, null, 2));
if (json) console.log(JSON.stringify(report));
process.exitCode = failed.length > 0 ? 1 : 0;
