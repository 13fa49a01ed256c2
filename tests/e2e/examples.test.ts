import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { startTestPlatform } from "../kit/platform.ts";

const execute = promisify(execFile);
const folder = new URL("../../examples/", import.meta.url);
const examples = readdirSync(folder).filter((name) => name.endsWith(".ts"));

/** What an example must print at its end, by name; an example without a line here fails. */
const endings: Readonly<Record<string, RegExp>> = {
  "fashion-in-process.ts": /test: \{ loss: 0\.\d+, accuracy: 0\.[789]\d+ \}\s*$/,
  "fashion-through-sdk.ts": /model: fashion@1\nprediction: \{[^}]*label: 'Ankle-boot'[\s\S]*\}\s*$/,
};

it.each(examples)("%s runs as it stands, on a part of the data", async (name) => {
  await using platform = await startTestPlatform();
  const { stdout } = await execute(process.execPath, [fileURLToPath(new URL(name, folder)), "--quick"], {
    env: { ...process.env, MODELYARD_URL: platform.url, MODELYARD_API_KEY: platform.apiKey },
  });
  expect(stdout).toMatch(endings[name] ?? /an example needs its ending in this test/);
});
