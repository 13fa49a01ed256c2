import { isPort } from "./architecture-ports.ts";
import { type Rule, roomOf, slices, stemOf } from "./architecture-rooms.ts";
import type { Module } from "./modules.ts";

const ofSlices = (modules: readonly Module[]): Module[] =>
  modules.filter(({ path }) => slices.includes(roomOf(path) ?? ""));

/** What a table of routes may take: its own slice, earlier doors, ports and the contracts; no library, no Node. */
const routesMayTake = (specifier: string): boolean => specifier.startsWith(".") || specifier === "@modelyard/contracts";

const kindFaults = (module: Module): string[] => {
  const { path, declares, references } = module;
  const faults: string[] = [];
  const rest = path.split("/").slice(4);
  if (rest.length > 1) faults.push(`${path}: a slice is flat, its files are its use cases and nouns`);
  const stem = stemOf(path);
  if (stem === "index") {
    if (declares) faults.push(`${path} declares something: a door only hands on`);
    for (const { specifier } of references) {
      if (!/^\.\/[\w-]+\.ts$/.test(specifier)) faults.push(`${path} hands on ${specifier}: not the slice's own`);
    }
  }
  if (stem === "routes") {
    for (const { specifier } of references) {
      if (!routesMayTake(specifier)) faults.push(`${path} takes ${specifier}: routes only lead to use cases`);
    }
  }
  if (isPort(module)) {
    for (const { specifier, typeOnly } of references) {
      if (!typeOnly) faults.push(`${path} takes values of ${specifier}: a port is types alone`);
    }
  }
  return faults;
};

/** Index, routes and ports are what their names say; a slice has no folders. */
export const sliceFileKinds: Rule = {
  name: "files of a slice are of the closed kinds",
  breaches: (modules) => {
    const inSlices = ofSlices(modules);
    const without = slices.filter(
      (slice) =>
        inSlices.some(({ path }) => roomOf(path) === slice) &&
        !inSlices.some(({ path }) => path.endsWith(`/${slice}/index.ts`)),
    );
    return [...inSlices.flatMap(kindFaults), ...without.map((slice) => `${slice} has no door index.ts`)];
  },
};

/** Slices that keep nothing of their own: predictions is the hot path and asks no database. */
const withoutTables: ReadonlySet<string> = new Set(["predictions", "language"]);

/** One grep shows the vertical: a slice's contract, tables and migration carry its name. */
export const mirroredNouns: Rule = {
  name: "nouns are mirrored: a slice has a contract and tables of its name, and no contract goes without a slice",
  breaches: (modules) => {
    const has = (pattern: RegExp): boolean => modules.some(({ path }) => pattern.test(path));
    const present = slices.filter((slice) => has(new RegExp(`^packages/platform/src/${slice}/`)));
    return present.flatMap((slice) => {
      const faults: string[] = [];
      if (!has(new RegExp(`^packages/contracts/src/${slice}\\.ts$`)))
        faults.push(`${slice} has no contract of its name`);
      if (withoutTables.has(slice)) return faults;
      const storage = "^packages/platform/src/storage";
      if (!has(new RegExp(`${storage}/tables/${slice}\\.ts$`)))
        faults.push(`${slice} has no storage/tables/${slice}.ts`);
      if (!has(new RegExp(`${storage}/migrations/\\d{4}-${slice}`)))
        faults.push(`${slice} has no migration of its name`);
      return faults;
    });
  },
};
