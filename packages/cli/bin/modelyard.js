#!/usr/bin/env node
// Plain JavaScript, so that an old Node says what it lacks instead of failing on TypeScript.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(
    `error[usage]: Modelyard needs Node 22.18 or newer, this is ${process.versions.node}. In the repository: npx modelyard\n`,
  );
  process.exit(2);
}
const { main } = await import("../src/main.ts");
await main();
