import { execFile, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { startTestPlatform } from "../kit/platform.ts";

const execute = promisify(execFile);
const root = fileURLToPath(new URL("../../", import.meta.url));
const readme = readFileSync(join(root, "README.md"), "utf8");

const blocks = (language: string): string[] =>
  [...readme.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]+?)\`\`\``, "g"))].map(([, text = ""]) => text);

/** What the snippets leave to their reader. */
const preamble = `
import type { readFile as ReadFile } from "node:fs/promises";
import type { DataArray, ModelDefinition } from "@modelyard/learn";
declare global {
  const url: string;
  const apiKey: string;
  const report: (event: unknown) => void;
  const readFile: typeof ReadFile;
  const x: DataArray;
  const y: DataArray;
}
`;

describe("the README", () => {
  it("shows programs that compile", () => {
    const snippets = blocks("ts");
    expect(snippets.length).toBeGreaterThan(1);
    mkdirSync(join(root, ".tsbuild"), { recursive: true });
    const folder = mkdtempSync(join(root, ".tsbuild/readme-"));
    try {
      writeFileSync(join(folder, "preamble.ts"), preamble);
      snippets.forEach((text, index) => {
        const needsModel = !text.includes("const model =");
        const given = needsModel ? `declare const model: import("@modelyard/learn").ModelDefinition;\n` : "";
        writeFileSync(join(folder, `snippet-${index}.ts`), `${text}\n${given}export {};\n`);
      });
      const { references } = JSON.parse(readFileSync(join(root, "tsconfig.tests.json"), "utf8")) as {
        references: readonly { readonly path: string }[];
      };
      const config = {
        extends: "../../tsconfig.tests.json",
        compilerOptions: { rootDir: ".", outDir: "out", tsBuildInfoFile: "out/info" },
        include: ["*.ts"],
        references: references.map(({ path }) => ({ path: join("../..", path) })),
      };
      writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
      const { stdout, status } = spawnSync("tsc", ["-b", folder], { encoding: "utf8" });
      expect({ stdout, status }).toEqual({ stdout: "", status: 0 });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("shows commands that work as they stand, one after the other", async () => {
    const commands = blocks("sh").filter((text) => text.startsWith("modelyard "));
    expect(commands.length).toBeGreaterThan(0);
    await using platform = await startTestPlatform();
    const { stdout } = await execute("sh", ["-ec", commands.join("\n")], {
      cwd: root,
      env: { ...process.env, MODELYARD_URL: platform.url, MODELYARD_API_KEY: platform.apiKey },
    });
    expect(stdout).toMatch(/Ankle boot|^9\b|"?label"?/m);
  });

  it("names the two commands that CI and a newcomer run", () => {
    const scripts = (
      JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: Record<string, string> }
    ).scripts;
    const whole = blocks("sh").flatMap((text) => [...text.matchAll(/^npm ci && npm (?:run )?(\w+)$/gm)]);
    expect(whole.map(([, script = ""]) => scripts[script] !== undefined && script)).toEqual(["quickstart", "test"]);
    const ci = readFileSync(join(root, ".ci/run"), "utf8");
    expect(ci).toContain("\nnpm ci && npm test\n");
  });
});
