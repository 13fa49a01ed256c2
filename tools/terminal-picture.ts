/**
 * Runs the quickstart in a terminal of its own and draws what the terminal shows at the end, colours and all.
 * Run: npm run picture (needs `script` of util-linux)
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import xterm, { type IBufferCell, type Terminal } from "@xterm/headless";
import { root } from "./source-files.ts";

const columns = 126;
const rowsMax = 400;
const target = join(root, "docs/images/quickstart.svg");

/** Widths and heights in pixels. */
const cell = { width: 7.7, height: 17, fontSize: 12.8 } as const;
const margin = { x: 22, top: 52, bottom: 18 } as const;

const theme = { paper: "#0f1419", frame: "#1d242c", ink: "#d5dbe1", bold: "#ffffff", dim: "#8a939c" } as const;
/** The sixteen named colours of terminals. */
const named = [
  ..."#1d242c #ef6b73 #7fd88f #e5c07b #61afef #c678dd #56b6c2 #d5dbe1".split(" "),
  ..."#5c6773 #ff8b92 #98e6a6 #f0d197 #8cc4ff #d7a1e7 #7fd4de #ffffff".split(" "),
];

/** A colour of the 256-colour palette: 16 named, a cube of 6×6×6, 24 greys. */
const paletteColor = (index: number): string => {
  const fromNames = named[index];
  if (fromNames !== undefined) return fromNames;
  const hex = (value: number): string => value.toString(16).padStart(2, "0");
  if (index >= 232) return `#${hex(8 + (index - 232) * 10).repeat(3)}`;
  const step = (value: number): string => hex(value === 0 ? 0 : 55 + value * 40);
  const cube = index - 16;
  return `#${step(Math.floor(cube / 36))}${step(Math.floor(cube / 6) % 6)}${step(cube % 6)}`;
};

/** What stands in one cell. */
interface Glyph {
  readonly text: string;
  readonly ink: string;
  readonly paper: string | null;
  readonly bold: boolean;
}

const inkOf = (at: IBufferCell): string => {
  if (at.isFgPalette()) return paletteColor(at.getFgColor());
  if (at.isFgRGB()) return `#${at.getFgColor().toString(16).padStart(6, "0")}`;
  if (at.isDim()) return theme.dim;
  return at.isBold() ? theme.bold : theme.ink;
};

const glyphOf = (at: IBufferCell): Glyph => ({
  text: at.getChars() || " ",
  ink: inkOf(at),
  paper: at.isBgPalette() ? paletteColor(at.getBgColor()) : null,
  bold: at.isBold() !== 0,
});

/** The rows of a terminal, top to bottom, without empty ones at the end. */
const glyphRows = (terminal: Terminal): Glyph[][] => {
  const { active } = terminal.buffer;
  const rows: Glyph[][] = [];
  for (let y = 0; y < active.length; y++) {
    const line = active.getLine(y);
    const row: Glyph[] = [];
    for (let x = 0; x < columns; x++) {
      const at = line?.getCell(x);
      if (at !== undefined && at.getWidth() > 0) row.push(glyphOf(at));
    }
    rows.push(row);
  }
  const last = rows.findLastIndex((row) => row.some(({ text }) => text !== " "));
  return rows.slice(0, last + 1);
};

const textOf = (row: readonly Glyph[]): string =>
  row
    .map(({ text }) => text)
    .join("")
    .trimEnd();

/** Plays what a program wrote to a terminal. */
const play = async (output: string): Promise<Glyph[][]> => {
  const terminal = new xterm.Terminal({ cols: columns, rows: rowsMax, allowProposedApi: true });
  await new Promise<void>((resolve) => terminal.write(output, resolve));
  return glyphRows(terminal);
};

const line = (text: string, ink: string): Glyph[] =>
  [...text].map((letter) => ({ text: letter, ink, paper: null, bold: false }));

/** What is shown of a run: all of it up to its last result, but for the long tables, whose place is marked. */
const excerpt = (rows: readonly Glyph[][]): Glyph[][] => {
  const find = (pattern: RegExp): number => rows.findIndex((row) => pattern.test(textOf(row)));
  const [tables, service, done] = [find(/^class +precision/), find(/^\d\. Service/), find(/^Done in/)];
  if (tables < 0 || service < tables || done < service)
    throw new Error("the quickstart's output has another shape now");
  const left = line(
    `⋯ ${service - tables} more lines: precision, recall and F1 of every class, the confusion matrix`,
    theme.dim,
  );
  return [
    line("$ npm run quickstart", theme.dim),
    ...rows.slice(0, tables),
    left,
    [],
    ...rows.slice(service, done + 1),
  ];
};

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The part of a cell, from the top, that a block character leaves empty and the part that it fills; `null` for letters. */
const blockOf = (text: string): { readonly from: number; readonly to: number; readonly strength: number } | null => {
  if (text === "▀") return { from: 0, to: 0.5, strength: 1 };
  if (text === "░") return { from: 0.15, to: 0.85, strength: 0.25 };
  if (text === "█") return { from: 0.15, to: 0.85, strength: 1 };
  const eighths = "▁▂▃▄▅▆▇".indexOf(text) + 1;
  return eighths === 0 ? null : { from: 1 - eighths / 8, to: 1, strength: 1 };
};

const rounded = (value: number): string => String(Math.round(value * 100) / 100);

/** Rectangles by fill, drawn as one path a fill. */
class Boxes {
  readonly #paths = new Map<string, string[]>();

  add(fill: string, { x, y, width, height }: Box): void {
    const path = `M${rounded(x)} ${rounded(y)}h${rounded(width)}v${rounded(height)}h${rounded(-width)}z`;
    this.#paths.set(fill, [...(this.#paths.get(fill) ?? []), path]);
  }

  render(): string {
    return [...this.#paths].map(([fill, paths]) => `<path fill="${fill}" d="${paths.join("")}"/>`).join("\n");
  }
}

/** Neighbours of a row that share a look, with the column where they begin. */
const runsOf = <T>(
  row: readonly Glyph[],
  look: (glyph: Glyph) => T | null,
): { readonly at: number; readonly look: T; readonly glyphs: Glyph[] }[] => {
  const runs: { at: number; look: T; glyphs: Glyph[] }[] = [];
  row.forEach((glyph, at) => {
    const own = look(glyph);
    const last = runs.at(-1);
    if (own === null) return;
    if (last !== undefined && last.look === own && last.at + last.glyphs.length === at) last.glyphs.push(glyph);
    else runs.push({ at, look: own, glyphs: [glyph] });
  });
  return runs;
};

const drawBoxes = (row: readonly Glyph[], y: number, boxes: Boxes): void => {
  const at = (column: number): number => margin.x + column * cell.width;
  for (const { at: column, look, glyphs } of runsOf(row, ({ paper }) => paper))
    boxes.add(look, { x: at(column), y, width: glyphs.length * cell.width, height: cell.height });
  for (const { at: column, look, glyphs } of runsOf(row, ({ text, ink }) =>
    blockOf(text) === null ? null : `${text}${ink}`,
  )) {
    const block = blockOf(glyphs[0]?.text ?? "");
    if (block === null) continue;
    const [from, to] = [block.from * cell.height, block.to * cell.height];
    const fill = `${look.slice(1)}${block.strength < 1 ? '" fill-opacity=".25' : ""}`;
    boxes.add(fill, { x: at(column), y: y + from, width: glyphs.length * cell.width, height: to - from });
  }
};

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** Words are placed by their column and stretched to their width, so that any monospaced font fits. */
const drawText = (row: readonly Glyph[], y: number): string =>
  runsOf(row, ({ text, ink, bold }) => (blockOf(text) === null ? `${ink}${bold ? " b" : ""}` : null))
    .flatMap(({ at, look, glyphs }) => {
      const text = glyphs.map((glyph) => glyph.text).join("");
      const [ink = theme.ink, bold] = look.split(" ");
      return [...text.matchAll(/\S+(?: \S+)*/g)].map(({ 0: words, index }) => {
        const place = `x="${rounded(margin.x + (at + index) * cell.width)}" y="${rounded(y + cell.height * 0.74)}"`;
        const style = `${ink === theme.ink ? "" : ` fill="${ink}"`}${bold === undefined ? "" : ' font-weight="bold"'}`;
        return `<text ${place} textLength="${rounded([...words].length * cell.width)}"${style}>${escaped(words)}</text>`;
      });
    })
    .join("\n");

/** Draws a terminal's rows as an SVG picture of a window. */
const draw = (rows: readonly Glyph[][]): string => {
  const width = Math.round(columns * cell.width + 2 * margin.x);
  const height = Math.round(rows.length * cell.height + margin.top + margin.bottom);
  const boxes = new Boxes();
  rows.forEach((row, index) => drawBoxes(row, margin.top + index * cell.height, boxes));
  const text = rows.map((row, index) => drawText(row, margin.top + index * cell.height)).filter((part) => part !== "");
  const buttons = ["#ef6b73", "#e5c07b", "#7fd88f"].map(
    (fill, i) => `<circle cx="${22 + i * 20}" cy="19" r="6" fill="${fill}"/>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="A terminal after npm run quickstart: pictures of clothes, the model, its training, its evaluation and ten predictions">`,
    `<rect width="${width}" height="${height}" rx="10" fill="${theme.paper}"/>`,
    `<path d="M0 10a10 10 0 0 1 10-10h${width - 20}a10 10 0 0 1 10 10v28H0z" fill="${theme.frame}"/>`,
    ...buttons,
    `<g shape-rendering="crispEdges">${boxes.render()}</g>`,
    `<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace" font-size="${cell.fontSize}" fill="${theme.ink}">`,
    ...text,
    "</g>",
    "</svg>",
    "",
  ].join("\n");
};

/** Runs the quickstart at a terminal of {@link columns} columns and gives what it wrote. */
const record = (): string => {
  const folder = mkdtempSync(join(tmpdir(), "modelyard-picture-"));
  try {
    const command = `stty cols ${columns} rows 60; npm run --silent quickstart -- --exit --data '${folder}'`;
    const { stdout, status } = spawnSync("script", ["-qec", command, "/dev/null"], { cwd: root, encoding: "utf8" });
    if (status !== 0) throw new Error(`the quickstart failed:\n${stdout}`);
    return stdout;
  } finally {
    rmSync(folder, { recursive: true });
  }
};

if (import.meta.main) {
  const [recorded] = process.argv.slice(2);
  const output = recorded === undefined ? record() : readFileSync(recorded, "utf8");
  const svg = draw(excerpt(await play(output)));
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, svg);
  console.log(`docs/images/quickstart.svg written, ${Math.ceil(svg.length / 1024)} KB`);
}
