import { describe, expect, it } from "vitest";
import { ByteStatistics, CategoryStatistics, NumberStatistics, TextStatistics } from "./column-statistics.ts";

const numbers = (values: readonly number[]): NumberStatistics => {
  const statistics = new NumberStatistics();
  for (const value of values) statistics.add(value);
  statistics.addRows(values.length);
  return statistics;
};

describe("statistics of a column", () => {
  it("gives the figures of NumPy for numbers, leaving out what is missing", () => {
    // numpy: x = [2, 4, 4, 5, 9]; x.mean(), x.std(), np.quantile(x, [.25, .5, .75])
    expect(numbers([4, 2, Number.NaN, 9, 5, 4]).profile("x")).toEqual({
      name: "x",
      count: 6,
      missing: 1,
      mean: 4.8,
      standardDeviation: Math.sqrt(5.36),
      minimum: 2,
      maximum: 9,
      quantiles: { p25: 4, p50: 4, p75: 5 },
      categoryCounts: null,
    });
  });

  it("gives the same figures whether a column is read whole or in parts", () => {
    const values = Array.from({ length: 500 }, (_, i) => Math.sin(i) * 100);
    const parts = numbers(values.slice(0, 123));
    parts.merge(numbers(values.slice(123)));
    const [merged, whole] = [parts.profile("x"), numbers(values).profile("x")];
    expect(merged.mean).toBeCloseTo(whole.mean ?? Number.NaN, 10);
    expect(merged.standardDeviation).toBeCloseTo(whole.standardDeviation ?? Number.NaN, 10);
    expect({ ...merged, mean: 0, standardDeviation: 0 }).toEqual({ ...whole, mean: 0, standardDeviation: 0 });
    const bytes = new ByteStatistics();
    bytes.add(Uint8Array.of(1, 2, 3, 250), 2);
    const more = new ByteStatistics();
    more.add(Uint8Array.of(7, 9), 1);
    bytes.merge(more);
    const all = new ByteStatistics();
    all.add(Uint8Array.of(1, 2, 3, 250, 7, 9), 3);
    expect(bytes.profile("x")).toEqual(all.profile("x"));
  });

  it("finds exact quantiles of bytes between two values", () => {
    const statistics = new ByteStatistics();
    statistics.add(Uint8Array.of(0, 10, 20, 30), 4);
    expect(statistics.profile("x").quantiles).toEqual({ p25: 7.5, p50: 15, p75: 22.5 });
  });

  it("stays near the true quantiles and within its memory for a million values", () => {
    const statistics = new NumberStatistics();
    for (let i = 0; i < 1_000_000; i++) statistics.add((i * 7919) % 1_000_003);
    const { quantiles } = statistics.profile("x");
    expect(quantiles?.p50).toBeGreaterThan(495_000);
    expect(quantiles?.p50).toBeLessThan(505_000);
  });

  it("says null where a figure overflows or there is nothing", () => {
    expect(numbers([1e200, -1e200]).profile("x")).toMatchObject({ standardDeviation: null, minimum: -1e200 });
    expect(numbers([1.7e308, -1.7e308]).profile("x").quantiles?.p50).toBe(0);
    expect(numbers([Number.NaN]).profile("x")).toMatchObject({ count: 1, missing: 1, mean: null, quantiles: null });
  });

  it("counts categories in the order of the schema, and empty texts as missing", () => {
    const categories = new CategoryStatistics(["b", "a"]);
    for (const index of [1, 1, -1, 0]) categories.add(index);
    expect(categories.profile("x")).toMatchObject({
      count: 4,
      missing: 1,
      categoryCounts: [
        { category: "b", count: 1 },
        { category: "a", count: 2 },
      ],
    });
    const texts = new TextStatistics();
    for (const text of ["a", "", "b"]) texts.add(text);
    expect(texts.profile("x")).toMatchObject({ count: 3, missing: 1, mean: null });
  });
});
