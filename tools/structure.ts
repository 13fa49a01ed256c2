/** Counts what the budgets are about. Run: npm run structure (shows the figures and shrinks the baseline) */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseSync, Visitor } from "oxc-parser";
import { withoutComments } from "./modules.ts";
import { packageSources, root, type SourceFile, sourceFilesUnder, isTestFile } from "./source-files.ts";

/** What may not be exceeded. A function's lines are counted as the linter does: without comments and empty ones. */
export const budgets = {
  fileLinesMax: 400,
  functionLinesMax: 60,
  /** Aims, held as shares: half of the files, nine of ten, and so on. */
  fileLinesP50: 90,
  fileLinesP90: 250,
  functionLinesP50: 11,
  functionLinesP90: 25,
} as const;

/** Lines that must be alike to count as copied: long enough not to be chance. */
const copiedLinesMin = 8;

/** One file as the budgets see it. */
export interface MeasuredFile {
  readonly path: string;
  readonly lines: number;
  /** Lengths of its functions in lines. */
  readonly functions: readonly number[];
  /** Exported names whose declaration no TSDoc stands before. */
  readonly undocumented: readonly string[];
}

interface Spanned {
  readonly start: number;
  readonly end: number;
}

const functionsOf = ({ path, text }: SourceFile): number[] => {
  const found: number[] = [];
  const { program, comments } = parseSync(path, text);
  const code = withoutComments(text, comments);
  const measure = ({ start, end }: Spanned): void => {
    const lines = code.slice(start, end).split("\n");
    found.push(lines.filter((line) => line.trim() !== "").length);
  };
  new Visitor({
    FunctionDeclaration: measure,
    FunctionExpression: measure,
    ArrowFunctionExpression: measure,
  }).visit(program);
  return found;
};

const undocumentedOf = ({ path, text }: SourceFile): string[] => {
  const { program, comments } = parseSync(path, text);
  const documented = (start: number): boolean =>
    comments.some(
      ({ type, value, end }) => type === "Block" && value.startsWith("*") && /^\s*$/.test(text.slice(end, start)),
    );
  return program.body.flatMap((node) => {
    if (node.type !== "ExportNamedDeclaration" || node.declaration === null || documented(node.start)) return [];
    const [, name = "?"] = /^export (?:declare |abstract |async )*\w+\*? (\w+)/.exec(text.slice(node.start)) ?? [];
    return [name];
  });
};

/** Measures one file. */
export const measureFile = (file: SourceFile): MeasuredFile => ({
  path: file.path,
  lines: file.text.split("\n").length - 1,
  functions: functionsOf(file),
  undocumented: undocumentedOf(file),
});

const trimmedLines = (text: string): string[] =>
  text
    .replace(/^import[\s\S]*?from "[^"]+";$/gm, "")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !/^(?:\/\/|\/?\*)/.test(line));

/** Pairs of places in different files where at least {@link copiedLinesMin} lines of code are alike. */
export const copiesAmong = (files: readonly SourceFile[]): string[] => {
  const places = new Map<string, string>();
  const copies = new Set<string>();
  for (const { path, text } of files) {
    const lines = trimmedLines(text);
    for (let first = 0; first + copiedLinesMin <= lines.length; first++) {
      const block = lines.slice(first, first + copiedLinesMin).join("\n");
      const other = places.get(block);
      if (other === undefined) places.set(block, path);
      else if (other !== path) copies.add(`${other} and ${path}`);
    }
  }
  return [...copies].toSorted();
};

/** What breaks a budget, by kind; each is named so that the list can be compared. */
export interface Structure {
  readonly longFiles: readonly string[];
  /** Files that hold one. */
  readonly longFunctions: readonly string[];
  readonly undocumentedExports: readonly string[];
  readonly copies: readonly string[];
}

/** Finds what breaks a budget. */
export const structureOf = (files: readonly SourceFile[]): Structure => {
  const measured = files.map(measureFile);
  return {
    longFiles: measured.filter(({ lines }) => lines > budgets.fileLinesMax).map(({ path }) => path),
    longFunctions: measured
      .filter(({ functions }) => functions.some((lines) => lines > budgets.functionLinesMax))
      .map(({ path }) => path),
    undocumentedExports: measured.flatMap(({ path, undocumented }) => undocumented.map((name) => `${path}#${name}`)),
    // Programs outside the packages stand alone and may say again what a package says.
    copies: copiesAmong(files.filter(({ path }) => path.startsWith("packages/"))),
  };
};

/** The value below which a share of the values lies. */
export const percentile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0;

/** Every file that runs: packages, tools, bench and examples without their tests. */
export const runningSources = (): SourceFile[] =>
  [...packageSources(), ...["tools", "bench", "examples"].flatMap(sourceFilesUnder)].filter(
    ({ path }) => !isTestFile(path) && !path.endsWith(".generated.ts"),
  );

const baselineFile = join(root, "tools/structure-baseline.json");

/** What was there when counting began and is still allowed. */
export const readBaseline = (): Structure => JSON.parse(readFileSync(baselineFile, "utf8")) as Structure;

const kinds = ["longFiles", "longFunctions", "undocumentedExports", "copies"] as const;

/** What is new against the baseline, and what the baseline allows although it is gone. */
export const compare = (
  now: Structure,
  baseline: Structure,
): { readonly added: readonly string[]; readonly gone: readonly string[] } => ({
  added: kinds.flatMap((kind) =>
    now[kind].filter((name) => !baseline[kind].includes(name)).map((name) => `${kind}: ${name}`),
  ),
  gone: kinds.flatMap((kind) =>
    baseline[kind].filter((name) => !now[kind].includes(name)).map((name) => `${kind}: ${name}`),
  ),
});

/** Says what is counted, for people. */
const report = (files: readonly SourceFile[]): string => {
  const measured = files.map(measureFile);
  const lines = measured.map((file) => file.lines);
  const functions = measured.flatMap((file) => file.functions);
  const over = (values: readonly number[], limit: number): number => values.filter((value) => value > limit).length;
  const spread = (values: readonly number[]): string =>
    `p50 ${percentile(values, 0.5)}, p90 ${percentile(values, 0.9)}, longest ${Math.max(...values)}`;
  return [
    `files      ${files.length}: ${spread(lines)} lines; ${over(lines, budgets.fileLinesP90)} over ${budgets.fileLinesP90}`,
    `functions  ${functions.length}: ${spread(functions)} lines; ${over(functions, budgets.functionLinesP90)} over ${budgets.functionLinesP90}`,
  ].join("\n");
};

if (import.meta.main) {
  const files = runningSources();
  const [now, baseline] = [structureOf(files), readBaseline()];
  const kept = kinds.map((kind) => [kind, baseline[kind].filter((name) => now[kind].includes(name))]);
  writeFileSync(baselineFile, `${JSON.stringify(Object.fromEntries(kept), null, 2)}\n`);
  console.log(report(files));
  for (const kind of kinds) console.log([`${kind}: ${now[kind].length}`, ...now[kind]].join("\n  "));
}
