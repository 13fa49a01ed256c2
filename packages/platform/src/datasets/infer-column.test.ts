import { describe, expect, it } from "vitest";
import { sniffDelimiter } from "./csv-records.ts";
import { ColumnGuess, isNumber } from "./infer-column.ts";

const guess = (cells: readonly string[], isTarget = false): ColumnGuess => {
  const column = new ColumnGuess({ isTarget });
  cells.forEach((cell, row) => column.add(cell, row + 1));
  return column;
};

describe("telling what a CSV column holds", () => {
  it.each(["0", "-1", "+2.5", ".5", "1e9", "1.5E-3", "0.0", "9007199254740991"])("takes %s for a number", (cell) => {
    expect(isNumber(cell)).toBe(true);
  });

  it.each(["", "007", "-01", "1,5", "0x10", "Infinity", "1e999", "12abc", " 1", "90071992547409931"])(
    "does not take %j for a number",
    (cell) => {
      expect(isNumber(cell)).toBe(false);
    },
  );

  it("takes a column for numbers when every cell is one or is missing", () => {
    expect(guess(["1", "NA", "", "2.5", "NaN", "null"]).kind()).toBe("number");
    expect(guess(["", ""]).kind()).toBe("number");
    expect(guess(["1", "x", "1", "x"]).kind()).toBe("category");
  });

  it("takes few repeated values for categories, many different ones for texts, a target always for categories", () => {
    expect(guess(["red", "blue", "red"]).kind()).toBe("category");
    expect(guess(["red", "blue", "green"]).kind()).toBe("text");
    expect(guess(["red", "blue", "green"], true).kind()).toBe("category");
    const names = Array.from({ length: 40 }, (_, i) => `name ${i % 30}`);
    expect(guess(names).kind()).toBe("text");
  });

  it("sorts categories by value when all are numbers, else by code point", () => {
    expect(guess(["10", "9", "01", "9"]).categories()).toEqual(["01", "10", "9"]);
    expect(guess(["10", "9", "1"]).categories()).toEqual(["1", "9", "10"]);
  });
});

describe("finding the delimiter", () => {
  it.each([
    ["a,b\n1,2\n", ","],
    ["a;b\n1,5;2,5\n3,1;4\n", ";"],
    ["a\tb c\n1\t2\n", "\t"],
    ["a|b\n1|2\n", "|"],
    ['a;b\n"x,y,z";1\n"p,q,r";2\n', ";"],
    ["alone\n1\n", ","],
    ["", ","],
  ])("of %j is %j", (head, delimiter) => {
    expect(sniffDelimiter(head)).toBe(delimiter);
  });
});
