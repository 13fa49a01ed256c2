import { type ErrorCode, errorCatalogue, Problem } from "@modelyard/contracts";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { isTestFile, packageSources, root } from "./source-files.ts";

const codes = Object.keys(errorCatalogue) as ErrorCode[];
const folder = join(root, "docs/errors");
const pageOf = (code: string): string => readFileSync(join(folder, `${code}.md`), "utf8");

/** Codes whose thrower is not written yet. This list may only shrink; a code that is thrown must leave it. */
const notThrownYet: readonly ErrorCode[] = [];

/** Names the codes without raising them: the catalogue itself, and the union of the codes of `learn`. */
const declaresOnly = (path: string): boolean =>
  path.startsWith("packages/contracts/") || path === "packages/learn/src/errors.ts";

test("every code has a page and every page a code", () => {
  const pages = readdirSync(folder).map((name) => name.replace(/\.md$/, ""));
  expect(pages.toSorted()).toEqual(codes.toSorted());
});

test.each(codes)("the page of %s says what the catalogue says, and shows a valid answer", (code) => {
  const page = pageOf(code);
  const { status, grpc, title, retryable } = errorCatalogue[code];
  expect(page.startsWith(`# ${code}\n`)).toBe(true);
  expect(page).toContain(`${title} — HTTP ${status}, gRPC ${grpc}, `);
  expect(page).toContain("Likely causes:");
  expect(page).toContain("What to do:");
  const [, example = ""] = /```json\n([\s\S]+?)```/.exec(page) ?? [];
  const { detail, ...problem } = Problem.parse(JSON.parse(example));
  expect(problem).toMatchObject({ type: `errors/${code}`, title, status, code, retryable });
  expect(detail.length).toBeGreaterThan(20);
});

test("every code is thrown somewhere, or stands in the list of those that are not yet", () => {
  const sources = packageSources().filter(({ path }) => !isTestFile(path) && !declaresOnly(path));
  expect(sources.length).toBeGreaterThan(100);
  const text = sources.map((source) => source.text).join("\n");
  const unthrown = codes.filter((code) => !text.includes(`"${code}"`));
  expect(unthrown.toSorted()).toEqual(notThrownYet.toSorted());
});
