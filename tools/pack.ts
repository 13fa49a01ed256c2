/** Packs the packages as they are published: JavaScript and declarations in `dist/`. Run: npm run pack */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { dirname, join, relative } from "node:path";
import { packageNames, root } from "./source-files.ts";

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly exports: Readonly<Record<string, string>>;
  readonly [key: string]: unknown;
}

const staging = join(root, ".pack");

/** Files that run: neither tests nor suites, nor the sources of the kernels, which are compiled already. */
const isPublished = (path: string): boolean =>
  path.endsWith(".ts") && !/\.(?:test|conformance|d)\.ts$/.test(path) && !path.includes("/assembly/");

/** Names of the package's own files end in `.js` once they are built, in imports and in URLs of workers alike. */
const pointToBuilt = (text: string): string => text.replaceAll(/(["'])(\.{1,2}\/[\w./-]+)\.ts\1/g, "$1$2.js$1");

const write = (file: string, text: string): void => {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
};

const filesUnder = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));

/** Strips the types of the sources: Node itself refuses to do so below node_modules. */
const buildSources = (source: string, dist: string): void => {
  for (const file of filesUnder(source).filter((path) => isPublished(`/${path}`))) {
    const text = stripTypeScriptTypes(readFileSync(join(source, file), "utf8"));
    write(join(dist, file.replace(/\.ts$/, ".js")), pointToBuilt(text));
  }
};

/** Takes the declarations that `tsc -b` has written, from each of the package's zones. */
const copyDeclarations = (folder: string, dist: string): void => {
  for (const name of readdirSync(folder).filter((file) => /^tsconfig.*\.json$/.test(file))) {
    const { compilerOptions } = JSON.parse(readFileSync(join(folder, name), "utf8")) as {
      readonly compilerOptions: { readonly rootDir: string; readonly outDir: string };
    };
    const built = join(folder, compilerOptions.outDir);
    const place = relative("src", compilerOptions.rootDir);
    for (const file of filesUnder(built).filter((path) => path.endsWith(".d.ts"))) {
      write(join(dist, place, file), pointToBuilt(readFileSync(join(built, file), "utf8")));
    }
  }
};

const publishedManifest = ({ exports, ...rest }: Manifest): unknown => ({
  ...rest,
  exports: Object.fromEntries(
    Object.entries(exports).map(([door, source]) => {
      const built = source.replace(/^\.\/src\//, "./dist/").replace(/\.ts$/, "");
      return [door, { types: `${built}.d.ts`, default: `${built}.js` }];
    }),
  ),
  files: ["dist", "bin", "data", "LICENSE"],
});

/** The command runs the built program, and brings the data of its first lesson along. */
const addCommand = (folder: string, stage: string): void => {
  const bin = readFileSync(join(folder, "bin/modelyard.js"), "utf8");
  write(join(stage, "bin/modelyard.js"), bin.replace("../src/main.ts", "../dist/main.js"));
  cpSync(join(root, "examples/data"), join(stage, "data"), { recursive: true });
};

const stagePackage = (name: string): string => {
  const [folder, stage] = [join(root, "packages", name), join(staging, name)];
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
  buildSources(join(folder, "src"), join(stage, "dist"));
  copyDeclarations(folder, join(stage, "dist"));
  if (existsSync(join(folder, "bin"))) addCommand(folder, stage);
  cpSync(join(root, "LICENSE"), join(stage, "LICENSE"));
  write(join(stage, "package.json"), `${JSON.stringify(publishedManifest(manifest), null, 2)}\n`);
  return stage;
};

const run = (program: string, args: readonly string[], cwd: string): string => {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, encoding: "utf8" });
  if (status === 0) return stdout;
  throw new Error(`${program} ${args.join(" ")} failed: ${stderr || stdout}`);
};

/** Packs every published package. @returns Paths of the tarballs. */
export const packAll = (): string[] => {
  run("tsc", ["-b"], root);
  rmSync(staging, { recursive: true, force: true });
  return packageNames().map((name) => {
    const [tarball = ""] = run("npm", ["pack", "--silent", "--pack-destination", staging], stagePackage(name)).split(
      "\n",
    );
    return join(staging, tarball);
  });
};

if (import.meta.main) for (const tarball of packAll()) console.log(relative(root, tarball));
