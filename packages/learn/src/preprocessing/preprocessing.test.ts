import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyImageSteps } from "./image-steps.ts";
import { fitSteps, type RawSamples } from "./fit-steps.ts";
import { outputNames, resolveSteps } from "./resolve-steps.ts";
import type { Lane, ValueStep } from "./step.ts";

const lanes: readonly Lane[] = [
  { kind: "number", name: "age" },
  { kind: "category", name: "port", categories: ["C", "Q", "S"] },
];
const nan = Number.NaN;
/** Rows of age and port; NaN is missing. */
const samples = { shape: [6, 2], values: Float32Array.of(1, 2, 2, 2, 2, 0, 7, nan, nan, 0, 8, 2) };
const fit = (steps: readonly ValueStep[], data: RawSamples = samples) =>
  fitSteps(resolveSteps(steps, lanes), lanes, data);

describe("fitting preprocessing steps", () => {
  it.each([
    ["mean", 4],
    ["median", 2],
    ["most_frequent", 2],
  ] as const)("imputes the %s of the values that are there", (strategy, fill) => {
    expect(fit([{ step: "impute", columns: ["age"], strategy }])).toEqual([
      { step: "impute", columns: ["age"], strategy, fill: [fill] },
    ]);
  });

  it("imputes categories by name, the first of equally frequent ones", () => {
    const steps: ValueStep[] = [{ step: "impute", columns: ["port"], strategy: "most_frequent" }];
    expect(fit(steps)).toMatchObject([{ fill: ["S"] }]);
    expect(fit(steps, { shape: [3, 2], values: [0, 2, 0, 1, 0, nan] })).toMatchObject([{ fill: ["Q"] }]);
    expect(fit([{ step: "impute", columns: ["port"], strategy: "constant", fillValue: "C" }])).toMatchObject([
      { fill: ["C"] },
    ]);
  });

  it("fits every step on what the ones before it leave, as a pipeline does", () => {
    const [, standardise] = fit([
      { step: "impute", columns: ["age"], strategy: "constant", fillValue: 4 },
      { step: "standardise" },
    ]);
    // 1, 2, 2, 7, 4, 8: mean 4, population variance 7.
    expect(standardise).toEqual({ step: "standardise", columns: ["age"], mean: [4], variance: [7] });
    const [, after] = fit([{ step: "scale", scale: 10, offset: 1 }, { step: "standardise" }]);
    expect(after).toMatchObject({ mean: [41], variance: [840] });
  });

  it("leaves a column of equal values at zero instead of dividing by nothing", () => {
    expect(fit([{ step: "standardise" }], { shape: [2, 2], values: [3, 0, 3, 0] })).toMatchObject([
      { mean: [3], variance: [1] },
    ]);
  });

  it("keeps a place for every category of the schema and remembers which no training row had", () => {
    const steps = resolveSteps([{ step: "one_hot", handleUnknown: "ignore" }], lanes);
    expect(outputNames(steps, lanes)).toEqual(["age", "port=C", "port=Q", "port=S"]);
    expect(fitSteps(steps, lanes, samples)).toMatchObject([{ categories: [["C", "Q", "S"]], unseen: [["Q"]] }]);
  });

  it.each<[string, ValueStep[], string]>([
    ["a column that is no feature", [{ step: "standardise", columns: ["fare"] }], "column-unknown"],
    ["numbers asked of a category", [{ step: "standardise", columns: ["port"] }], "preprocessing-invalid"],
    [
      "categories asked of a number",
      [{ step: "one_hot", columns: ["age"], handleUnknown: "error" }],
      "preprocessing-invalid",
    ],
    ["a constant without its value", [{ step: "impute", strategy: "constant" }], "preprocessing-invalid"],
    ["a value without a constant", [{ step: "impute", strategy: "mean", fillValue: 1 }], "preprocessing-invalid"],
    ["a fill that is no category", [{ step: "impute", strategy: "constant", fillValue: "X" }], "preprocessing-invalid"],
    [
      "a step after one-hot",
      [
        { step: "one_hot", handleUnknown: "error" },
        { step: "impute", columns: ["port"], strategy: "most_frequent" },
      ],
      "preprocessing-invalid",
    ],
  ])("refuses %s", (_, steps, code) => {
    expect(() => fit(steps)).toThrow(expect.objectContaining({ code }) as Error);
  });

  it("refuses to fit on a column without a value", () => {
    const empty = { shape: [2, 2], values: [nan, 0, nan, 0] };
    for (const step of [{ step: "standardise" }, { step: "impute", columns: ["age"], strategy: "mean" }] as const) {
      expect(() => fit([step], empty)).toThrow(/"age": no training row has a value/);
    }
  });
});

const image = (height: number, width: number, channels: number) => ({
  data: Uint8Array.from({ length: height * width * channels }, (_, i) => (i * 37) % 256),
  height,
  width,
  channels,
});

describe("steps on pixels", () => {
  it("crops the middle, to the upper left where it does not come out even", () => {
    const { data } = applyImageSteps({ data: Uint8Array.of(1, 2, 3, 4, 5, 6), height: 2, width: 3, channels: 1 }, [
      { step: "crop", height: 1, width: 2 },
    ]);
    expect([...data]).toEqual([1, 2]);
  });

  it("weighs red, green and blue as TensorFlow does", () => {
    const { data } = applyImageSteps(
      { data: Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9), height: 2, width: 2, channels: 3 },
      [{ step: "grayscale" }],
    );
    expect([...data]).toEqual([76, 150, 29, 9]);
  });

  it("takes the nearest pixel by half-pixel centres", () => {
    const wide = { data: Uint8Array.of(1, 2, 3, 4, 5), height: 1, width: 5, channels: 1 };
    const nearest = (width: number) =>
      applyImageSteps(wide, [{ step: "resize", height: 1, width, interpolation: "nearest" }]).data;
    // tf.image.resize(..., "nearest"): floor((i + 0.5) * 5 / width).
    expect([...nearest(3)]).toEqual([1, 3, 5]);
    expect([...nearest(7)]).toEqual([1, 2, 2, 3, 4, 4, 5]);
  });

  it("give the size that was asked for, whatever comes", () => {
    const side = fc.integer({ min: 1, max: 20 });
    fc.assert(
      fc.property(side, side, side, side, (height, width, toHeight, toWidth) => {
        for (const step of ["crop", "resize"] as const) {
          const done = applyImageSteps(image(height, width, 3), [
            { step, height: toHeight, width: toWidth, interpolation: "bilinear" },
          ]);
          expect(done).toMatchObject({ height: toHeight, width: toWidth, channels: 3 });
          expect(done.data).toHaveLength(toHeight * toWidth * 3);
        }
      }),
    );
  });
});
