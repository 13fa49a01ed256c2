import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, test } from "vitest";
import { root } from "./source-files.ts";

const markdownUnder = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md") && !name.includes("node_modules"))
    .map((name) => join(root, folder, name));

const topLevel = readdirSync(root).filter((name) => name.endsWith(".md"));
const pages = [...topLevel.map((name) => join(root, name)), ...markdownUnder("docs")];

/** Headings as the anchors that GitHub makes of them. */
const anchorsOf = (text: string): string[] =>
  [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  );

/** Links of a page that lead nowhere. */
const brokenLinks = (page: string, text: string): string[] =>
  [...text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = ""]) => {
    if (/^[a-z]+:/.test(link)) return [];
    const [path = "", anchor] = link.split("#");
    const target = path === "" ? page : join(dirname(page), path);
    if (!existsSync(target)) return [link];
    return anchor === undefined || anchorsOf(readFileSync(target, "utf8")).includes(anchor) ? [] : [link];
  });

test("links between pages lead somewhere", () => {
  expect(pages.length).toBeGreaterThan(60);
  const broken = pages.flatMap((page) =>
    brokenLinks(page, readFileSync(page, "utf8")).map((link) => `${relative(root, page)}: ${link}`),
  );
  expect(broken).toEqual([]);
  expect(
    brokenLinks(join(root, "README.md"), "[a](nowhere.md) [b](README.md#modelyard) [c](README.md#no-such)"),
  ).toEqual(["nowhere.md", "README.md#no-such"]);
});

test("decisions are numbered once each, and say what was refused and what it costs", () => {
  const folder = join(root, "docs/decisions");
  const names = readdirSync(folder).toSorted();
  expect(names.map((name) => Number(name.slice(0, 4)))).toEqual(names.map((_, index) => index + 1));
  for (const name of names) {
    const text = readFileSync(join(folder, name), "utf8");
    expect(text).toMatch(new RegExp(`^# ${Number(name.slice(0, 4))}\\. `));
    expect(text, `${name} says what was refused`).toMatch(/refused/i);
    expect(text, `${name} says the price`).toMatch(/price/i);
  }
});

test("every rule of the linter that is off says why", () => {
  const lines = readFileSync(join(root, ".oxlintrc.json"), "utf8").split("\n");
  const end = lines.findIndex((line) => line.includes('"overrides"'));
  const silent = lines.filter(
    (line, index) => index < end && line.includes('"off"') && !lines[index - 1]?.includes("//"),
  );
  expect(silent).toEqual([]);
  const overrides = lines.filter((line, index) => line.includes('"files":') && !lines[index - 1]?.includes("//"));
  expect(overrides).toEqual([]);
});
