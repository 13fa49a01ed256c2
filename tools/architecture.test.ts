import { readFileSync } from "node:fs";
import { join } from "node:path";
import { allOperations } from "@modelyard/contracts";
import { Modelyard } from "@modelyard/sdk";
import { describe, expect, it } from "vitest";
import { buildProgram } from "../packages/cli/src/index.ts";
import { rules } from "./architecture.ts";
import { roomOf } from "./architecture-rooms.ts";
import { type Module, parseModule } from "./modules.ts";
import { packageNames, packageSources, root, sourceFilesUnder } from "./source-files.ts";
import { silentTerminal } from "./terminals.ts";

const modules: readonly Module[] = [
  ...packageSources(),
  ...["examples", "tests", "bench", "tools"].flatMap(sourceFilesUnder),
].map(parseModule);

/** Near the real number, so that a walker that lost its way does not pass as a clean house. */
const modulesMin = 550;

const platform = (path: string): string => `packages/platform/src/${path}`;
type Sources = Readonly<Record<string, string>>;

/** For each rule: sources that keep it, and what has to be added to break it. */
const cases: readonly { readonly rule: RegExp; readonly fine: Sources; readonly broken: Sources }[] = [
  {
    rule: /^packages depend/,
    fine: { "packages/sdk/src/send.ts": `import { operations } from "@modelyard/contracts";` },
    broken: { "packages/contracts/src/a.ts": `import type { X } from "@modelyard/learn";` },
  },
  {
    rule: /^packages depend/,
    fine: { "packages/cli/src/a.ts": `import { x } from "@modelyard/platform";` },
    broken: { "packages/cli/src/b.ts": `import { x } from "../../platform/src/index.ts";` },
  },
  {
    rule: /^a slice uses earlier/,
    fine: { [platform("models/a.ts")]: `import { x } from "../datasets/index.ts";` },
    broken: { [platform("datasets/a.ts")]: `import type { X } from "../models/index.ts";` },
  },
  {
    rule: /^a slice uses earlier/,
    fine: { [platform("storage/a.ts")]: `export { x } from "../models/index.ts";` },
    broken: { [platform("transport/a.ts")]: `await import("../storage/database.ts");` },
  },
  {
    rule: /^a room is entered/,
    fine: {
      [platform("processes/a.ts")]: `import { X } from "../storage/file-box-store.ts";`,
      [platform("storage/box-store.ts")]: `export interface BoxStore {}`,
      [platform("models/a.ts")]: `import type { BoxStore } from "../storage/box-store.ts";`,
    },
    broken: { [platform("models/b.ts")]: `import { X } from "../storage/file-box-store.ts";` },
  },
  {
    rule: /^a room is entered/,
    fine: { [platform("processes/a.ts")]: `import { x } from "../models/index.ts";` },
    broken: { [platform("processes/b.ts")]: `import { x } from "../models/model-version.ts";` },
  },
  {
    rule: /^no door hands on/,
    fine: {
      [platform("runtimes/runtime.ts")]: `export interface Runtime {}`,
      [platform("runtimes/onnx-runtime.ts")]: `export const onnxRuntime = 1;`,
    },
    broken: { [platform("runtimes/index.ts")]: `export { onnxRuntime } from "./onnx-runtime.ts";` },
  },
  {
    rule: /^the environment is read/,
    fine: {
      [platform("config/a.ts")]: `export const a = process.env["A"];`,
      [platform("models/a.ts")]: `// never process.env\nexport const a = 1;`,
    },
    broken: { [platform("models/b.ts")]: `export const a = process.env.A;` },
  },
  {
    rule: /^the environment is read/,
    fine: { "packages/cli/src/terminal.ts": `export const a = process.env;` },
    broken: { "packages/cli/src/b.ts": `import { env } from "node:process";` },
  },
  {
    rule: /^files of processes/,
    fine: { [platform("processes/a.ts")]: `export {};\n`.repeat(150) },
    broken: { [platform("processes/b.ts")]: `export {};\n`.repeat(151) },
  },
  {
    rule: /^exports are named/,
    fine: { "packages/learn/src/a.ts": `export { a } from "./b.ts";` },
    broken: { "packages/learn/src/c.ts": `export * from "./b.ts";`, "packages/learn/src/d.ts": `export default 1;` },
  },
  {
    rule: /^contracts and learn know/,
    fine: { "packages/learn/src/onnxruntime-node/index.ts": `import "node:fs";` },
    broken: {
      "packages/learn/src/a.ts": `import "node:fs";`,
      "packages/learn/src/b.ts": `export const a = Math.random();`,
    },
  },
  {
    rule: /^the time of day/,
    fine: { [platform("foundation/clock.ts")]: `export const now = () => Date.now();` },
    broken: { [platform("models/a.ts")]: `export const now = () => Date.now();` },
  },
  {
    rule: /^examples use/,
    fine: { "examples/a.ts": `import { x } from "@modelyard/learn";` },
    broken: { "examples/b.ts": `import { x } from "../packages/learn/src/index.ts";` },
  },
  {
    rule: /^no module takes from itself/,
    fine: { "tools/a.ts": `import "./b.ts";`, "tools/c.ts": `import "./b.ts";` },
    broken: { "tools/b.ts": `import type { A } from "./a.ts";` },
  },
  {
    rule: /^files of a slice/,
    fine: {
      [platform("models/index.ts")]: `export { modelRoutes } from "./routes.ts";`,
      [platform("models/routes.ts")]: `import { a } from "./a.ts"; export const modelRoutes = a;`,
      [platform("models/model-store.ts")]: `import type { A } from "./a.ts"; export interface ModelStore {}`,
    },
    broken: {
      [platform("datasets/index.ts")]: `export { x } from "../foundation/index.ts";`,
      [platform("datasets/routes.ts")]: `import { z } from "zod";`,
      [platform("datasets/readers/a.ts")]: `export {};`,
      [platform("datasets/dataset-store.ts")]: `import { A } from "./a.ts"; export interface DatasetStore {}`,
    },
  },
  {
    rule: /^files of a slice/,
    fine: { [platform("models/index.ts")]: `export { a } from "./a.ts";` },
    broken: { [platform("experiments/a.ts")]: `export const a = 1;` },
  },
  {
    rule: /^every port has/,
    fine: {
      [platform("models/model-store.ts")]: `export interface ModelStore {}`,
      [platform("models/model-store.conformance.ts")]: `export {};`,
      [platform("storage/kysely-model-store.ts")]: `export class KyselyModelStore {}`,
      [platform("models/model-store.conformance.test.ts")]:
        `import "./model-store.conformance.ts"; import "../storage/kysely-model-store.ts";`,
    },
    broken: { [platform("storage/memory-model-store.ts")]: `export class MemoryModelStore {}` },
  },
  {
    rule: /^every port has/,
    fine: { [platform("datasets/read-image-folder.ts")]: `export const a = 1;` },
    broken: { [platform("experiments/run-folder.ts")]: `export interface RunFolder {}` },
  },
  {
    rule: /^nouns are mirrored/,
    fine: { "packages/contracts/src/predictions.ts": `export {};`, [platform("predictions/a.ts")]: `export {};` },
    broken: { [platform("models/a.ts")]: `export {};` },
  },
];

const parse = (sources: Sources): Module[] =>
  Object.entries(sources).map(([path, text]) => parseModule({ path, text }));

describe("the architecture", () => {
  it("is looked at as a whole", () => {
    expect(modules.length).toBeGreaterThan(modulesMin);
    expect(new Set(modules.map(({ path }) => path.split("/")[1])).size).toBeGreaterThan(packageNames().length);
  });

  it.each(rules)("$name", ({ breaches }) => {
    expect(breaches(modules)).toEqual([]);
  });

  it.each(rules)("can fail, and only on what breaks it: $name", ({ name, breaches }) => {
    const mine = cases.filter(({ rule }) => rule.test(name));
    expect(mine.length).toBeGreaterThan(0);
    for (const { fine, broken } of mine) {
      expect(breaches(parse(fine))).toEqual([]);
      const found = breaches(parse({ ...fine, ...broken }));
      const named = Object.keys(broken).filter((path) => found.some((breach) => breach.includes(nameIn(name, path))));
      expect(named).toEqual(Object.keys(broken));
    }
  });

  it("shows every noun of the operations in the client and on the command line", () => {
    const nouns = [...new Set(allOperations.map(({ id }) => id.split(".")[0] ?? ""))];
    const client = Object.keys(new Modelyard({ url: "http://127.0.0.1" }));
    expect(nouns.filter((noun) => !client.includes(noun))).toEqual([]);
    const commands = new Set(buildProgram(silentTerminal).commands.map((command) => command.name()));
    const ofProtocols = (noun: string): boolean =>
      allOperations.some(({ id, path }) => id.startsWith(`${noun}.`) && !path.startsWith("/api/"));
    const withoutCommand = nouns.filter((noun) => !commands.has(noun) && !ofProtocols(noun));
    // An experiment is the name under which runs are listed: `runs list --experiment`.
    expect(withoutCommand).toEqual(["experiments"]);
  });

  it("is described: ARCHITECTURE.md names every package and every room", () => {
    const text = readFileSync(join(root, "ARCHITECTURE.md"), "utf8");
    const rooms = new Set(modules.flatMap(({ path }) => roomOf(path) ?? []));
    expect(rooms.size).toBeGreaterThan(10);
    expect([...packageNames(), ...rooms].filter((name) => !text.includes(`${name}/`))).toEqual([]);
  });
});

/** Slices are named by rules on slices as a whole, files by all others. */
const nameIn = (rule: string, path: string): string =>
  rule.startsWith("nouns") || (rule.startsWith("files of a slice") && path.endsWith("experiments/a.ts"))
    ? (roomOf(path) ?? path)
    : path;
