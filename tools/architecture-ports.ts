import { type Rule, roomOf, stemOf } from "./architecture-rooms.ts";
import type { Module } from "./modules.ts";

const pascalCase = (stem: string): string =>
  stem.replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());

/** A port is a file called after what it is, that declares the interface of its own name. */
export const isPort = ({ path, code, isTest }: Module): boolean =>
  !isTest &&
  /(?:^|-)(?:store|engine|folder|runtime|family)$/.test(stemOf(path)) &&
  code.includes(`export interface ${pascalCase(stemOf(path))} `);

/** Where drivers of ports live. */
const driverRooms: ReadonlySet<string> = new Set(["storage", "runtimes", "supervision"]);

/** A driver is called `<what with>-<port>` and lies in a room of drivers; `serve-<port>` is a driver's other end. */
const drives = ({ path, isTest }: Module, port: Module): boolean =>
  !isTest &&
  driverRooms.has(roomOf(path) ?? "") &&
  stemOf(path).endsWith(`-${stemOf(port.path)}`) &&
  !stemOf(path).startsWith("serve-");

const suiteOf = ({ path }: Module): string => path.replace(/\.ts$/, ".conformance.ts");

const portFaults = (port: Module, modules: readonly Module[]): string[] => {
  const suite = suiteOf(port);
  if (!modules.some(({ path }) => path === suite)) return [`${port.path} is a port without ${stemOf(suite)}.ts`];
  const drivers = modules.filter((module) => drives(module, port));
  if (drivers.length === 0) return [`${port.path} is a port that nothing drives`];
  const running = modules.filter(
    ({ path, references }) => path.endsWith(".conformance.test.ts") && references.some(({ path: to }) => to === suite),
  );
  const driven = new Set(running.flatMap(({ references }) => references.map(({ path }) => path)));
  return drivers
    .filter(({ path }) => !driven.has(path))
    .map(({ path }) => `${path} drives ${stemOf(port.path)} and is in no conformance test that runs its suite`);
};

/** The ports of the platform. */
export const portsOf = (modules: readonly Module[]): Module[] => {
  const candidates = modules.filter((module) => roomOf(module.path) !== null && isPort(module));
  return candidates.filter((module) => !candidates.some((other) => drives(module, other)));
};

/** Every port has a shared suite, and every driver is in a test that runs it. */
export const conformance: Rule = {
  name: "every port has a conformance suite, which every driver runs",
  breaches: (modules) => portsOf(modules).flatMap((port) => portFaults(port, modules)),
};

/** Through doors go ports alone. */
export const closedDoors: Rule = {
  name: "no door hands on a driver: only processes/ knows concrete adapters",
  breaches: (modules) => {
    const ports = portsOf(modules);
    const drivers = new Set(modules.filter((m) => ports.some((port) => drives(m, port))).map(({ path }) => path));
    return modules
      .filter(({ path }) => roomOf(path) !== null && stemOf(path) === "index")
      .flatMap(({ path, references }) =>
        references
          .filter((reference) => drivers.has(reference.path ?? "") && !reference.typeOnly)
          .map(({ specifier }) => `${path} hands on ${specifier}: processes/ takes a driver from its file`),
      );
  },
};
