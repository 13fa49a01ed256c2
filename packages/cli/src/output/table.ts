import Table from "cli-table3";

/** Rows under their headings, aligned, without borders. */
export const formatTable = (head: readonly string[], rows: readonly (readonly (string | number)[])[]): string => {
  const chars = Object.fromEntries(
    ["top", "top-mid", "top-left", "top-right", "bottom", "bottom-mid", "bottom-left", "bottom-right", "left"]
      .concat(["left-mid", "mid", "mid-mid", "right", "right-mid"])
      .map((name) => [name, ""]),
  );
  const table = new Table({
    head: [...head],
    chars: { ...chars, middle: "  " },
    style: { head: [], border: [], "padding-left": 0, "padding-right": 0 },
  });
  for (const row of rows) table.push(row.map(String));
  return `${table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n")}\n`;
};
