import { posix } from "node:path";
import { type ParseResult, parseSync } from "oxc-parser";
import { isTestFile, type SourceFile } from "./source-files.ts";

/** One reference from a module to another. */
export interface Reference {
  /** As written, e.g. `../foundation/index.ts` or `@modelyard/learn`. */
  readonly specifier: string;
  /** Path from the repository's root for a relative reference, `null` for a package's name. */
  readonly path: string | null;
  /** Whether nothing of it is left when types are stripped. */
  readonly typeOnly: boolean;
}

/** A parsed source file: what it takes from elsewhere and how it gives. */
export interface Module extends SourceFile {
  readonly isTest: boolean;
  /** The text with comments blanked out, so that prose about a rule does not break it. */
  readonly code: string;
  readonly references: readonly Reference[];
  readonly exportsAll: boolean;
  readonly exportsDefault: boolean;
  /** Whether it declares something itself, beyond handing on what other modules declare. */
  readonly declares: boolean;
}

/** A text with its comments blanked out, every character in its place. */
export const withoutComments = (text: string, comments: ParseResult["comments"]): string => {
  let code = text;
  for (const { start, end } of comments) {
    code = code.slice(0, start) + code.slice(start, end).replaceAll(/[^\n]/g, " ") + code.slice(end);
  }
  return code;
};

/** Parses a source file. @throws Error when it is no valid TypeScript. */
export const parseModule = ({ path, text }: SourceFile): Module => {
  const { program, module, comments, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message ?? "does not parse"}`);
  const reference = (specifier: string, typeOnly: boolean): Reference => ({
    specifier,
    path: specifier.startsWith(".") ? posix.join(posix.dirname(path), specifier) : null,
    typeOnly,
  });
  const imports = module.staticImports.map(({ moduleRequest, entries }) =>
    reference(moduleRequest.value, entries.length > 0 && entries.every(({ isType }) => isType)),
  );
  const exported = module.staticExports.flatMap(({ entries }) => entries);
  const handedOn = exported.flatMap(({ moduleRequest, isType }) =>
    moduleRequest === null ? [] : [reference(moduleRequest.value, isType)],
  );
  const dynamic = module.dynamicImports.flatMap(({ moduleRequest: { start, end } }) => {
    const [, specifier] = /^["'`]([^"'`$]+)["'`]$/.exec(text.slice(start, end)) ?? [];
    return specifier === undefined ? [] : [reference(specifier, false)];
  });
  return {
    path,
    text,
    isTest: isTestFile(path),
    code: withoutComments(text, comments),
    references: [...imports, ...handedOn, ...dynamic],
    exportsAll: program.body.some(({ type }) => type === "ExportAllDeclaration"),
    exportsDefault: program.body.some(({ type }) => type === "ExportDefaultDeclaration"),
    declares: program.body.some(
      (node) => node.type !== "ImportDeclaration" && !(node.type === "ExportNamedDeclaration" && node.source !== null),
    ),
  };
};
