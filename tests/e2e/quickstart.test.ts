import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, it } from "vitest";
import { runCommand, startCommand } from "../kit/command-line.ts";
import { until } from "../kit/platform.ts";

const execute = promisify(execFile);

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "modelyard-quickstart-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Processes of a platform, found by the data directory that their environment names. */
const processesOf = async (data: string): Promise<string[]> => {
  const { stdout } = await execute("sh", ["-c", `grep -lsz 'MODELYARD_DATA=${data}' /proc/[0-9]*/environ || true`]);
  return stdout.split("\n").filter((line) => line !== "" && !line.includes("self"));
};

it("in a pipe with --json goes the whole way on all 60,000 images, prints one object last and ends cleanly", async () => {
  const data = join(folder, "data");
  const { code, out, err } = await runCommand(["quickstart", "--json", "--data", data, "--port", "0"]);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  const result = JSON.parse(out.trim().split("\n").at(-1) ?? "") as Record<string, number> & {
    predictions: { label: string; expected: string; probability: number }[];
  };
  expect(result).toMatchObject({ model: "fashion", version: 1, endpoint: "fashion" });
  expect(result["testAccuracy"]).toBeGreaterThan(0.87);
  expect(result["testLoss"]).toBeLessThan(0.4);
  for (const name of ["imagesPerSecond", "trainSeconds", "totalSeconds"]) expect(result[name]).toBeGreaterThan(0);
  expect(result.predictions).toHaveLength(10);
  expect(result.predictions.filter(({ label, expected }) => label === expected).length).toBeGreaterThan(7);
  expect(await processesOf(data)).toEqual([]);
});

it("on a terminal draws pictures, a bar with the curve of the loss, and serves the printed curl line until Ctrl-C", async () => {
  const data = join(folder, "data");
  const quickstart = startCommand(["quickstart", "--data", data, "--port", "0"], {
    terminal: true,
    environment: { TERM: "xterm-256color" },
  });
  await until(() => quickstart.printed().includes("Serving until Ctrl-C"), 120_000);
  const printed = quickstart.printed();
  expect(printed).toMatch(/Epoch 1\/1 █+/);
  expect(printed).toMatch(/ETA \d+ s/);
  expect(printed).toMatch(/[▁▂▃▄▅▆▇█]{3,}/);
  expect(printed).toContain("Confusion matrix");
  const [curl = ""] = /curl -s .*ankle-boot\.png'/.exec(printed.replaceAll("\r", "")) ?? [];
  const { stdout } = await execute("sh", ["-c", curl]);
  expect(JSON.parse(stdout)).toMatchObject({
    model: "fashion",
    predictions: [{ label: "Ankle boot", probability: expect.any(Number) as number }],
  });
  // The terminal passes Ctrl-C to the program in the foreground.
  const { stdout: children } = await execute("pgrep", ["-P", String(quickstart.pid)]);
  process.kill(Number(children.trim()), "SIGINT");
  expect((await quickstart.ended).code).toBe(0);
  expect(await processesOf(data)).toEqual([]);
});

it("is stopped by Ctrl-C in the middle of the training, leaving a run to go on with and no process", async () => {
  const data = join(folder, "data");
  const quickstart = startCommand(["quickstart", "--data", data, "--port", "0"]);
  await until(() => /Trainable parameters/.test(quickstart.printed()), 60_000);
  quickstart.signal("SIGINT");
  const { code, err } = await quickstart.ended;
  expect(code).toBe(130);
  expect(err).toMatch(/modelyard runs resume run_\w+/);
  expect(await processesOf(data)).toEqual([]);
  expect(await readdir(join(data, "runs"))).toHaveLength(1);
});
