import { execFile } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { BenchIo } from "./scenarios/scenario.ts";

const run = promisify(execFile);

/**
 * Makes a peer's Python environment once, from its pinned requirements.
 * @returns Its Python; undefined, with a line that says why, when it cannot be installed.
 */
export const peerPython = async (
  peer: "fastapi" | "keras" | "torch" | "llamacpp" | "interop",
  io: BenchIo,
): Promise<string | undefined> => {
  const folder = join(io.cache, peer);
  const done = join(folder, "installed.txt");
  const requirements = fileURLToPath(new URL(`peers/requirements-${peer}.txt`, import.meta.url));
  const python = join(folder, "bin/python");
  if (existsSync(done)) return python;
  io.log(`installing ${peer} into ${folder}`);
  try {
    await run("python3", ["-m", "venv", folder], { timeout: 120_000 });
    await run(join(folder, "bin/pip"), ["install", "-q", "-r", requirements], { timeout: 1_800_000 });
    await run("cp", [requirements, done]);
    return python;
  } catch (cause) {
    rmSync(folder, { recursive: true, force: true });
    io.log(`${peer} could not be installed and is left out: ${String(cause).split("\n")[0]}`);
    return undefined;
  }
};
