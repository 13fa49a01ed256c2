#!/usr/bin/env node
import module from "node:module";
import { join } from "node:path";

// Plain JavaScript, so that an old Node says what it lacks instead of failing on TypeScript.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(
    `error[usage]: Modelyard needs Node 22.18 or newer, this is ${process.versions.node}. In the repository: npx modelyard\n`,
  );
  process.exit(2);
}
// Compiled code is kept in the user's own cache, so that every command but the first starts in half the time.
const cache = process.env.XDG_CACHE_HOME ?? (process.env.HOME && join(process.env.HOME, ".cache"));
if (cache) module.enableCompileCache(join(cache, "modelyard"));
const { main } = await import("../src/main.ts");
await main();
