import { describe, expect, test } from "vitest";
import { constrain, type Constraint } from "./constraint.ts";

const held = (shape: readonly number[], values: readonly number[], constraint: Constraint): number[] => {
  const array = Float32Array.from(values);
  constrain(array, shape, constraint);
  return [...array].map((value) => Math.round(value * 1e4) / 1e4);
};

/** A matrix whose columns have the norms 5 and 0.5. */
const matrix = [3, 0.3, 4, 0.4];

describe("constraints hold weights as Keras' definitions say", () => {
  test.each<[Constraint, number[]]>([
    ["non_neg", matrix],
    ["max_norm", [1.2, 0.3, 1.6, 0.4]],
    [{ name: "max_norm", maxValue: 1 }, [0.6, 0.3, 0.8, 0.4]],
    ["unit_norm", [0.6, 0.6, 0.8, 0.8]],
    [{ name: "min_max_norm", minValue: 1, maxValue: 2 }, [1.2, 0.6, 1.6, 0.8]],
    [{ name: "min_max_norm", minValue: 1, maxValue: 2, rate: 0.5 }, [2.1, 0.45, 2.8, 0.6]],
    [{ name: "unit_norm", axis: [0, 1] }, [0.597, 0.0597, 0.796, 0.0796]],
  ])("%j over the columns", (constraint, expected) => {
    expect(held([2, 2], matrix, constraint)).toEqual(expected);
  });

  test("rows are the groups of axis 1, and of axis −1", () => {
    const rows = held([2, 2], [3, 4, 0, -2], { name: "unit_norm", axis: 1 });
    expect(rows).toEqual([0.6, 0.8, 0, -1]);
    expect(held([2, 2], [3, 4, 0, -2], { name: "unit_norm", axis: -1 })).toEqual(rows);
  });

  test("each filter of a convolution kernel is a group of axes 0 to 2", () => {
    const kernel = Array.from({ length: 3 * 3 * 2 * 4 }, (_, i) => Math.sin(i));
    const values = held([3, 3, 2, 4], kernel, { name: "unit_norm", axis: [0, 1, 2] });
    for (let filter = 0; filter < 4; filter++) {
      const own = values.filter((_, i) => i % 4 === filter);
      expect(Math.hypot(...own)).toBeCloseTo(1, 3);
    }
  });

  test("a weight of zeros stays as it is instead of becoming NaN", () => {
    expect(held([3], [0, 0, 0], "unit_norm")).toEqual([0, 0, 0]);
  });
});
