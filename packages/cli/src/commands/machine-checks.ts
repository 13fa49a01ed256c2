import { existsSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Config } from "@modelyard/platform";

/** First releases of each line that hold the security fixes of October 2026. */
const securedNode: Readonly<Record<number, readonly [number, number]>> = { 22: [23, 4], 24: [22, 1], 26: [12, 1] };

/** Says which Node runs. @throws Error when its line has a release with security fixes that it lacks. */
export const checkNode = (version: string): string => {
  const [major = 0, minor = 0, patch = 0] = version.replace(/^v/, "").split(".").map(Number);
  const [fixedMinor, fixedPatch] = securedNode[major] ?? [0, 0];
  if (minor < fixedMinor || (minor === fixedMinor && patch < fixedPatch)) {
    throw new Error(
      `${version} lacks the security fixes of ${major}.${fixedMinor}.${fixedPatch}; install that or a newer one`,
    );
  }
  return `${version} on ${process.platform}-${process.arch}`;
};

/** Files that hold secrets, below the data directory. */
const secrets = [".", "admin.key", "secrets", "secrets/pepper", "secrets/audit.key", "modelyard.db"];

/** Says that nobody else can read the data. @throws Error naming what others may read. */
export const checkPermissions = (dataDirectory: string): string => {
  if (!existsSync(dataDirectory)) return "the data directory is made at the first start, for its owner alone";
  const open = secrets.filter((name) => {
    const file = join(dataDirectory, name);
    return existsSync(file) && (statSync(file).mode & 0o077) !== 0 && !(name === "modelyard.db");
  });
  if (open.length === 0) return "the data directory and its secrets are their owner's alone";
  const list = open.map((name) => join(dataDirectory, name)).join(", ");
  throw new Error(`others may read ${list}; run: chmod go-rwx on each`);
};

/** Says that the port can be opened. @throws Error when another program has it. */
export const checkPort = ({ host, port }: Pick<Config, "host" | "port">, answering: boolean): Promise<string> =>
  new Promise((resolve, reject) => {
    if (answering) return resolve(`${host}:${port} is this platform's`);
    const probe = createServer();
    probe.once("error", () => reject(new Error(`${host}:${port} cannot be opened: choose another with --port`)));
    probe.listen({ host, port }, () => probe.close(() => resolve(`${host}:${port} is free`)));
  });

/** Says what time it is. @throws Error when that is before this program was installed: keys and audit would be wrong. */
export const checkClock = (nowMs: number): string => {
  const installedMs = statSync(fileURLToPath(new URL("../../package.json", import.meta.url))).mtimeMs;
  if (nowMs + 60_000 >= installedMs) return new Date(nowMs).toISOString();
  throw new Error(`${new Date(nowMs).toISOString()} is before this program was installed; set the clock`);
};
