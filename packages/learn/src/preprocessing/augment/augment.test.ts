import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRandom, type Random } from "../../random.ts";
import type { Augmentation } from "./augmentation.ts";
import {
  mixUp,
  randomBrightness,
  randomContrast,
  randomCrop,
  randomFlip,
  randomRotation,
  randomTranslation,
  randomZoom,
  specAugment,
} from "./index.ts";

/** A generator whose even draws are what the test says. */
const drawing = (...values: number[]): Random => {
  const random = createRandom(1);
  return Object.assign(Object.create(random) as Random, {
    uniform: () => values.shift() ?? 0,
    integerBelow: (n: number) => Math.min(values.shift() ?? 0, n - 1),
  });
};

const changed = (augmentation: Augmentation, shape: number[], given: readonly number[], random: Random): number[] => {
  const sample = Float32Array.from(given);
  augmentation.apply(sample, shape, random);
  return [...sample];
};

const square = [1, 2, 3, 4, 5, 6, 7, 8, 9];
const shape = [3, 3, 1];

describe("geometry, on a square of the numbers 1 to 9", () => {
  test.each<[string, Augmentation, Random, number[]]>([
    ["mirrored", randomFlip(), drawing(0.4), [3, 2, 1, 6, 5, 4, 9, 8, 7]],
    ["not mirrored", randomFlip(), drawing(0.6), square],
    ["upside down", randomFlip({ horizontal: false, vertical: true }), drawing(0.1), [7, 8, 9, 4, 5, 6, 1, 2, 3]],
    [
      "a quarter turn counter-clockwise",
      randomRotation({ factor: [0.25, 0.25] }),
      drawing(0),
      [3, 6, 9, 2, 5, 8, 1, 4, 7],
    ],
    ["half a turn", randomRotation({ factor: [0.5, 0.5] }), drawing(0), square.toReversed()],
    ["not turned", randomRotation({ factor: 0 }), drawing(0.3), square],
    [
      "moved down",
      randomTranslation({ height: [1 / 3, 1 / 3], width: 0, fillMode: "nearest" }),
      drawing(0, 0.5),
      [1, 2, 3, 1, 2, 3, 4, 5, 6],
    ],
    [
      "moved right over zeros",
      randomTranslation({ height: 0, width: [1 / 3, 1 / 3], fillMode: "constant" }),
      drawing(0.5, 0),
      [0, 1, 2, 0, 4, 5, 0, 7, 8],
    ],
    [
      "moved right around",
      randomTranslation({ height: 0, width: [1 / 3, 1 / 3], fillMode: "wrap" }),
      drawing(0.5, 0),
      [3, 1, 2, 6, 4, 5, 9, 7, 8],
    ],
    [
      "moved right, mirrored at the border",
      randomTranslation({ height: 0, width: [2 / 3, 2 / 3] }),
      drawing(0.5, 0),
      [2, 1, 1, 5, 4, 4, 8, 7, 7],
    ],
    ["zoomed in to the middle", randomZoom({ factor: [-0.5, -0.5] }), drawing(0), [3, 3.5, 4, 4.5, 5, 5.5, 6, 6.5, 7]],
    [
      "zoomed out",
      randomZoom({ factor: [1, 1], fillMode: "constant", fillValue: -1 }),
      drawing(0),
      [-1, -1, -1, -1, 5, -1, -1, -1, -1],
    ],
    ["a window below and right", randomCrop({ padding: 1 }), drawing(2, 2), [5, 6, 0, 8, 9, 0, 0, 0, 0]],
    ["the window in its place", randomCrop({ padding: 1 }), drawing(1, 1), square],
  ])("%s", (_, augmentation, random, expected) => {
    changed(augmentation, shape, square, random).forEach((value, i) =>
      expect(value).toBeCloseTo(expected[i] ?? NaN, 5),
    );
  });

  test("channels move together", () => {
    const pixels = [1, 10, 2, 20, 3, 30, 4, 40];
    expect(changed(randomFlip(), [2, 2, 2], pixels, drawing(0))).toEqual([2, 20, 1, 10, 4, 40, 3, 30]);
  });
});

describe("colour", () => {
  test("brightness adds a share of the range, and stays inside", () => {
    expect(changed(randomBrightness({ factor: [0.2, 0.2] }), [1, 3, 1], [0, 100, 250], drawing(0))).toEqual([
      51, 151, 255,
    ]);
    const unit = { factor: 0.5, valueRange: [0, 1] as const };
    expect(changed(randomBrightness(unit), [1, 2, 1], [0.5, 1], drawing(0))).toEqual([0, 0.5]);
  });
  test("contrast keeps each channel's mean", () => {
    const contrast = randomContrast({ factor: [0.5, 0.5] });
    expect(changed(contrast, [1, 2, 2], [100, 10, 120, 30], drawing(0))).toEqual([95, 5, 125, 35]);
  });
});

test("specAugment blanks whole stretches of frames and bands, and nothing else", () => {
  const options = { timeMasks: 1, timeWidth: 2, frequencyMasks: 1, frequencyWidth: 1, value: -1 };
  const ones = Array.from({ length: 12 }, () => 1);
  // Two frames from the second on, one band: the last.
  const blanked = changed(specAugment(options), [4, 3], ones, drawing(2, 1, 1, 2));
  expect(blanked).toEqual([1, 1, -1, -1, -1, -1, -1, -1, -1, 1, 1, -1]);
  expect(changed(specAugment({ timeMasks: 0, frequencyMasks: 0 }), [4, 3], ones, drawing())).toEqual(ones);
});

test("mixUp mixes samples and targets in the same share, and keeps their sums", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 9 }),
      fc.integer(),
      fc.constantFrom(0.1, 0.2, 1, 5),
      (samples, seed, alpha) => {
        const inputs = Float32Array.from({ length: samples * 2 }, (_, i) => (i % 2 === 0 ? i / 2 : 1));
        const targets = Float32Array.from({ length: samples }, (_, i) => i);
        mixUp({ alpha }).applyToBatch({ samples, inputs: [inputs], targets: [targets] }, createRandom(seed));
        for (let row = 0; row < samples; row++) {
          expect(inputs[2 * row]).toBeCloseTo(targets[row] ?? NaN, 4);
          expect(inputs[2 * row + 1]).toBeCloseTo(1, 5);
          expect(targets[row]).toBeGreaterThanOrEqual(0);
          expect(targets[row]).toBeLessThanOrEqual(samples - 1);
        }
      },
    ),
  );
  const classes = { samples: 1, inputs: [], targets: [new Int32Array(1)] };
  expect(() => mixUp().applyToBatch(classes, createRandom(1))).toThrow(/one-hot/);
});

test("shares of mixUp have the mean and the spread of Beta(α, α)", () => {
  const alpha = 0.4;
  const samples = 4000;
  const targets = Float32Array.from({ length: samples }, (_, i) => i);
  const origin = targets.slice();
  const random = createRandom(2);
  const partners = createRandom(2).permutation(samples);
  mixUp({ alpha }).applyToBatch({ samples, inputs: [], targets: [targets] }, random);
  const shares = [...targets].flatMap((value, i) => {
    const [own, other] = [origin[i] ?? 0, partners[i] ?? 0];
    return Math.abs(own - other) < 100 ? [] : [(value - other) / (own - other)];
  });
  const mean = shares.reduce((a, b) => a + b) / shares.length;
  const variance = shares.reduce((sum, share) => sum + (share - mean) ** 2, 0) / shares.length;
  expect(mean).toBeCloseTo(0.5, 1);
  expect(variance).toBeCloseTo(1 / (4 * (2 * alpha + 1)), 1);
});

test("equal seeds give equal samples, and samples of the wrong form are refused", () => {
  const all = [
    randomRotation({ factor: 0.1 }),
    randomZoom({ factor: 0.2, widthFactor: 0.1 }),
    randomContrast({ factor: 0.3 }),
  ];
  const once = all.map((augmentation) => changed(augmentation, shape, square, createRandom(9)));
  expect(all.map((augmentation) => changed(augmentation, shape, square, createRandom(9)))).toEqual(once);
  for (const augmentation of [...all, randomFlip(), randomCrop({ padding: 1 })]) {
    expect(() => changed(augmentation, [9], square, createRandom(1))).toThrow(/images.*\[9\]/);
  }
  expect(() => changed(specAugment(), [9], square, createRandom(1))).toThrow(/spectrograms.*\[9\]/);
});
