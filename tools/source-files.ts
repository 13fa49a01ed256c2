import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** A TypeScript file of the repository: path from the root with `/`, and text. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** The repository's root folder. */
export const root: string = fileURLToPath(new URL("..", import.meta.url));

/** Whether a file is a test or a suite, not part of what runs. */
export const isTestFile = (path: string): boolean => /\.(?:test|conformance)\.ts$/.test(path);

/** Folders that hold no TypeScript of ours: dependencies, and AssemblyScript, which has the ending alone. */
const foreign: readonly string[] = [`${sep}node_modules${sep}`, `${sep}assembly${sep}`];

/** Every `.ts` file under a folder of the repository, sorted; `[]` when the folder does not exist. */
export const sourceFilesUnder = (folder: string): SourceFile[] => {
  const base = join(root, folder);
  try {
    return readdirSync(base, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((path) => !foreign.some((folder) => path.includes(folder)))
      .map((path) => ({ path: relative(root, path).split(sep).join("/"), text: readFileSync(path, "utf8") }))
      .toSorted((a, b) => (a.path < b.path ? -1 : 1));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
};

/** Names of the packages, as folders of `packages/`. */
export const packageNames = (): string[] =>
  readdirSync(join(root, "packages"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .toSorted();

/** The source files of every package, tests included. */
export const packageSources = (): SourceFile[] =>
  packageNames().flatMap((name) => sourceFilesUnder(`packages/${name}/src`));
