/** Installs the packed packages into an empty folder and runs the quickstart there. Run: npm run pack:try */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packAll } from "./pack.ts";

/** The environment without what npm and this repository put into it; Node itself stays the repository's. */
const environment = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(?:npm_|MODELYARD_|INIT_CWD$)/i.test(name))),
  // The engine's own download is for CUDA alone.
  ONNXRUNTIME_NODE_INSTALL: "skip",
};

const run = (program: string, args: readonly string[], cwd: string): string => {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, encoding: "utf8", env: environment });
  if (status === 0) return stdout;
  throw new Error(`${program} ${args.join(" ")} failed: ${stderr || stdout}`);
};

const folder = mkdtempSync(join(tmpdir(), "modelyard-packed-"));
try {
  const tarballs = packAll();
  writeFileSync(join(folder, "package.json"), '{ "name": "empty", "private": true }\n');
  run("npm", ["install", "--no-audit", "--no-fund", ...tarballs], folder);
  console.log(`installed ${tarballs.length} packages into an empty folder`);
  const answer = run(
    join(folder, "node_modules/.bin/modelyard"),
    ["quickstart", "--exit", "--port", "0", "--json"],
    folder,
  );
  const { testAccuracy } = JSON.parse(answer) as { readonly testAccuracy: number };
  console.log(`quickstart: test accuracy ${testAccuracy}`);
  process.exitCode = testAccuracy > 0.8 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
