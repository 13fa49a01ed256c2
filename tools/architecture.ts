/**
 * The rules of ARCHITECTURE.md, each as a search for what breaks it. A rule sees modules alone, so that the tests can
 * show it made-up ones. Nothing here lists files: rooms, slices and packages are the only names.
 */
import { closedDoors, conformance, portsOf } from "./architecture-ports.ts";
import { mirroredNouns, sliceFileKinds } from "./architecture-slices.ts";
import type { Module } from "./modules.ts";
import { packageOf, type Rule, roomOf, slices } from "./architecture-rooms.ts";

const sources = (modules: readonly Module[]): Module[] => modules.filter(({ isTest }) => !isTest);

/** Says for each module and each of its references what is wrong, if anything. */
const overReferences = (
  modules: readonly Module[],
  judge: (module: Module, reference: Module["references"][number]) => string | null,
): string[] =>
  sources(modules).flatMap((module) =>
    module.references.flatMap((reference) => {
      const fault = judge(module, reference);
      return fault === null ? [] : [`${module.path} takes ${reference.specifier}: ${fault}`];
    }),
  );

/** Which packages of ours each package may use. */
const packageUses: Readonly<Record<string, readonly string[]>> = {
  contracts: [],
  learn: [],
  sdk: ["contracts"],
  platform: ["contracts", "learn"],
  cli: ["contracts", "learn", "platform", "sdk"],
};

const packageDirection: Rule = {
  name: "packages depend in one direction, by their names",
  breaches: (modules) =>
    overReferences(modules, ({ path }, { specifier, path: target }) => {
      const own = packageOf(path);
      if (own === null) return null;
      if (target !== null) return packageOf(target) === own ? null : "other packages are entered by their name";
      const [, used] = /^@modelyard\/([\w-]+)/.exec(specifier) ?? [];
      if (used === undefined) return null;
      const allowed = packageUses[own];
      if (allowed === undefined) return `the package ${own} has no line in packageUses of tools/architecture.ts`;
      return allowed.includes(used) ? null : `${own} may use ${allowed.join(", ") || "no other package of ours"}`;
    }),
};

/** Which rooms of the platform each room may use; slices use slices before them. */
const roomUses: Readonly<Record<string, readonly string[]>> = {
  foundation: [],
  config: ["foundation"],
  transport: ["foundation"],
  runtimes: ["foundation"],
  storage: ["foundation", ...slices],
  supervision: ["foundation", ...slices],
  processes: ["foundation", "config", "transport", "runtimes", "storage", "supervision", ...slices],
};

const usesOf = (room: string): readonly string[] | undefined => {
  const place = slices.indexOf(room);
  if (place < 0) return roomUses[room];
  return ["foundation", "transport", "runtimes", "storage", ...slices.slice(0, place)];
};

const roomOrder: Rule = {
  name: "a slice uses earlier slices only, and rooms stand in layers",
  breaches: (modules) =>
    overReferences(modules, ({ path }, { path: target }) => {
      const [own, other] = [roomOf(path), target === null ? null : roomOf(target)];
      if (own === null || other === null || own === other) return null;
      const allowed = usesOf(own);
      if (allowed === undefined) return `the room ${own} has no line in roomUses of tools/architecture.ts`;
      return allowed.includes(other) ? null : `${own} may use ${allowed.join(", ") || "no other room"}`;
    }),
};

const doors: Rule = {
  name: "a room is entered by its index.ts; drivers only by processes, ports by anybody",
  breaches: (modules) => {
    const ports = new Set(portsOf(modules).map(({ path }) => path));
    return overReferences(modules, ({ path }, { path: target, typeOnly }) => {
      const [own, other] = [roomOf(path), target === null ? null : roomOf(target)];
      if (target === null || own === null || other === null || own === other) return null;
      if (target.endsWith(`/${other}/index.ts`)) return null;
      if (own === "processes" && !slices.includes(other)) return null;
      return ports.has(target) && typeOnly ? null : `it is neither the door of ${other} nor the type of a port`;
    });
  },
};

const environmentPlaces = /^packages\/platform\/src\/config\/|^packages\/cli\/src\/terminal\.ts$/;

const environmentOnce: Rule = {
  name: "the environment is read in config/ and at the command line's edge only",
  breaches: (modules) =>
    sources(modules)
      .filter(({ path, code }) => packageOf(path) !== null && !environmentPlaces.test(path) && readsEnvironment(code))
      .map(({ path }) => `${path} reads the environment: take a value of Config or of Terminal instead`),
};

const readsEnvironment = (code: string): boolean =>
  /\bprocess\s*\.\s*env\b|\bprocess\[["']env["']\]|\{[^}]*\benv\b[^}]*\}\s*=\s*process\b/.test(code) ||
  /import[^;]*\benv\b[^;]*from "node:process"/.test(code);

const processLinesMax = 150;

const shortProcesses: Rule = {
  name: `files of processes/ wire and do nothing else: at most ${processLinesMax} lines`,
  breaches: (modules) =>
    sources(modules)
      .filter(({ path, text }) => roomOf(path) === "processes" && text.split("\n").length - 1 > processLinesMax)
      .map(({ path }) => `${path} is longer: move what it decides into a slice`),
};

const namedExports: Rule = {
  name: "exports are named, one by one",
  breaches: (modules) =>
    modules
      .filter(({ exportsAll, exportsDefault, path }) => packageOf(path) !== null && (exportsAll || exportsDefault))
      .map(({ path, exportsAll }) => `${path} has an export ${exportsAll ? "*" : "default"}`),
};

/** Rooms of pure code, and the parts of them that may know the machine. */
const pure = /^packages\/(?:contracts|learn)\/src\/(?!onnxruntime-node\/)/;
const impure = /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bperformance\.now\b|\bsetTimeout\b|\bsetInterval\b/;

const purity: Rule = {
  name: "contracts and learn know no machine: no Node, no clock, no chance of their own",
  breaches: (modules) => [
    ...overReferences(modules, ({ path }, { specifier }) =>
      pure.test(path) && (specifier.startsWith("node:") || specifier === "onnxruntime-node")
        ? "pass it in instead"
        : null,
    ),
    ...sources(modules)
      .filter(({ path, code }) => pure.test(path) && impure.test(code))
      .map(({ path }) => `${path} uses a clock, a timer or Math.random: pass it in instead`),
  ],
};

const wallClock: Rule = {
  name: "the time of day comes from the injected clock",
  breaches: (modules) =>
    sources(modules)
      .filter(
        ({ path, code }) => path.startsWith("packages/platform/src/") && /\bDate\.now\b|\bnew Date\(\)/.test(code),
      )
      .filter(({ path }) => path !== "packages/platform/src/foundation/clock.ts")
      .map(({ path }) => `${path} asks for the time of day: take a Clock`),
};

const strangers: Rule = {
  name: "examples use what a stranger can",
  breaches: (modules) =>
    overReferences(modules, ({ path }, { path: target }) =>
      path.startsWith("examples/") && target !== null && !target.startsWith("examples/")
        ? "an example imports packages by their names"
        : null,
    ),
};

/** Paths in a circle, found by depth-first search; a module is named once. */
const circles = (edges: ReadonlyMap<string, readonly string[]>): string[] => {
  const found: string[] = [];
  const state = new Map<string, "open" | "done">();
  const visit = (path: string, trail: readonly string[]): void => {
    if (state.get(path) === "done") return;
    if (state.get(path) === "open") {
      found.push([...trail.slice(trail.indexOf(path)), path].join(" → "));
      return;
    }
    state.set(path, "open");
    for (const next of edges.get(path) ?? []) visit(next, [...trail, path]);
    state.set(path, "done");
  };
  for (const path of edges.keys()) visit(path, []);
  return found;
};

const noCircles: Rule = {
  name: "no module takes from itself in a circle, types included",
  breaches: (modules) =>
    circles(
      new Map(modules.map(({ path, references }) => [path, references.flatMap(({ path: target }) => target ?? [])])),
    ),
};

/** Every rule of the house that can be read off imports and names. */
export const rules: readonly Rule[] = [
  packageDirection,
  roomOrder,
  doors,
  closedDoors,
  environmentOnce,
  shortProcesses,
  namedExports,
  purity,
  wallClock,
  strangers,
  noCircles,
  sliceFileKinds,
  conformance,
  mirroredNouns,
];
