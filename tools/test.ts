import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checks, runStep } from "./steps.ts";

/** Everything that CI runs: the checks, then every test project; ends with a line that counts the tests. */
interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numTotalTestSuites: number;
}

const suiteLimitMs = 20 * 60 * 1000;

for (const step of checks) runStep(step);

const folder = mkdtempSync(join(tmpdir(), "modelyard-test-"));
const file = join(folder, "report.json");
const { status } = spawnSync("vitest", ["run", "--reporter=default", "--reporter=json", `--outputFile.json=${file}`], {
  stdio: ["ignore", "inherit", "inherit"],
  timeout: suiteLimitMs,
});
const report = JSON.parse(readFileSync(file, "utf8")) as Report;
rmSync(folder, { recursive: true });
console.log(`${report.numPassedTests} passed, ${report.numFailedTests} failed`);
process.exit(status === 0 && report.numPassedTests > 0 ? 0 : 1);
