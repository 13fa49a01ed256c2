import type { StartRun } from "@modelyard/contracts";
import { createRandom, type Random } from "@modelyard/learn";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { deploy, startTestPlatform, type TestPlatform } from "../kit/platform.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform[Symbol.asyncDispose]());

const pick = <Item>(random: Random, items: readonly Item[]): Item =>
  items[Math.floor(random.uniform() * items.length)] as Item;

/** Passengers of a ship: women, children and the first class are saved more often. Ages and ports are missing at times. */
const passengers = (rows: number): string => {
  const random = createRandom(7);
  const lines = ["class,sex,age,fare,port,survived"];
  for (let row = 0; row < rows; row++) {
    const [cabin, sex, port] = [
      pick(random, [1, 2, 3]),
      pick(random, ["female", "male"]),
      pick(random, ["C", "Q", "S"]),
    ];
    const age = Math.round(1 + random.uniform() * 70);
    const fare = (120 / cabin) * (0.5 + random.uniform());
    const odds = (sex === "female" ? 2.5 : -1.5) + (age < 12 ? 2 : 0) - (cabin - 2);
    const survived = random.uniform() < 1 / (1 + Math.exp(-odds)) ? "yes" : "no";
    const shownAge = random.uniform() < 0.2 ? "" : String(age);
    const shownPort = random.uniform() < 0.05 ? "" : port;
    lines.push(`${cabin},${sex},${shownAge},${fare.toFixed(2)},${shownPort},${survived}`);
  }
  return `${lines.join("\n")}\n`;
};

/** Flats: the price follows from area, rooms and district, with some noise. */
const flats = (rows: number): string => {
  const random = createRandom(11);
  const lines = ["area,rooms,district,price"];
  for (let row = 0; row < rows; row++) {
    const [area, rooms] = [30 + random.uniform() * 120, 1 + Math.floor(random.uniform() * 5)];
    const district = pick(random, ["harbour", "hill", "old town"]);
    const factor = { harbour: 0.03, hill: 0.05, "old town": 0.04 }[district] ?? 0;
    const price = area * factor + rooms * 0.1 + (random.uniform() - 0.5) * 0.2;
    lines.push(`${area.toFixed(1)},${random.uniform() < 0.1 ? "" : rooms},${district},${price.toFixed(3)}`);
  }
  return `${lines.join("\n")}\n`;
};

const importCsv = async (name: string, text: string, options: object): Promise<void> => {
  const files = [{ name: "t.csv", content: new TextEncoder().encode(text) }];
  for await (const event of platform.yard.datasets.import(name, { format: "csv", ...options }, files)) {
    if (event.type === "failed") throw new Error(event.detail);
  }
};

const run = async (request: Partial<StartRun> & Pick<StartRun, "experiment" | "definition">) => {
  const { yard } = platform;
  const started = await yard.runs.start({ dataset: `${request.experiment}@1`, ...request });
  return yard.runs.wait(started.id);
};

/** No Input: it follows from the data. */
const network = (last: object): StartRun["definition"] => ({
  kind: "sequential",
  layers: [
    { layer: "Dense", units: 16, activation: "relu" },
    { layer: "Dense", ...last },
  ],
});
const classifier = network({ units: 2, activation: "softmax" });

describe("a table with categories and missing values", () => {
  const preprocessing: StartRun["preprocessing"] = [
    { step: "impute", columns: ["age"], strategy: "median" },
    { step: "impute", columns: ["port"], strategy: "most_frequent" },
    { step: "standardise", columns: ["age", "fare"] },
    { step: "one_hot", columns: ["class", "sex"], handleUnknown: "error" },
    { step: "one_hot", columns: ["port"], handleUnknown: "ignore" },
  ];

  it("trains with its preprocessing, is judged by slices too, and keeps the constants it fitted", async () => {
    await importCsv("ship", passengers(900), { target: "survived", kinds: { class: "category" } });
    const done = await run({
      experiment: "ship",
      definition: classifier,
      preprocessing,
      slices: ["sex", "port"],
      epochs: 25,
      optimizer: { name: "adam", learningRate: 0.01 },
    });
    expect(done).toMatchObject({ state: "succeeded", registered: { version: 1 } });
    const { evaluation, preprocessing: frozen, signature } = (await platform.yard.models.version("ship", 1)).artefact;
    if (evaluation?.kind !== "classification") throw new Error("no classification");
    expect(evaluation.accuracy).toBeGreaterThan(0.75);
    expect(evaluation.rocAuc).toBeGreaterThan(0.8);
    expect(evaluation.curves?.roc.truePositiveRate.at(-1)).toBe(1);
    expect(evaluation.slices?.map(({ column, category }) => `${column}=${category ?? "missing"}`)).toEqual(
      expect.arrayContaining(["sex=female", "sex=male", "port=C"]),
    );
    const bySex = evaluation.slices?.filter(({ column }) => column === "sex") ?? [];
    expect(bySex.reduce((rows, slice) => rows + slice.rows, 0)).toBe(evaluation.rows);
    expect(frozen.map(({ step }) => step)).toEqual(["impute", "impute", "standardise", "one_hot", "one_hot"]);
    expect(frozen[0]).toMatchObject({ columns: ["age"], fill: [expect.closeTo(36, -1) as number] });
    expect(signature).toMatchObject({
      input: {
        kind: "row",
        columns: [
          { name: "class", missing: "error", unknown: "error" },
          { name: "sex" },
          { name: "age", missing: "impute" },
          { name: "fare", missing: "error" },
          { name: "port", missing: "impute", unknown: "ignore" },
        ],
      },
      tensors: { inputs: [{ shape: [-1, 5] }] },
    });
  });

  it("predicts from raw rows: nulls and unknown categories as declared, the rest refused by name", async () => {
    const { endpoints } = platform.yard;
    await deploy(platform.yard, "ship");
    const answer = await endpoints.predict("ship", {
      inputs: [
        { class: 1, sex: "female", age: 30, fare: 100, port: "C" },
        { class: "3", sex: "male", age: null, fare: 20, port: null },
        { class: 2, sex: "female", fare: 60, port: "Oslo" },
      ],
    });
    expect(answer.predictions.map(({ label }) => label)).toEqual(["yes", "no", "yes"]);
    for (const { probabilities = {} } of answer.predictions) {
      expect(Object.values(probabilities).reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 5);
    }
    const wrong = async (row: object) => endpoints.predict("ship", { inputs: [row, row] }).catch((e: unknown) => e);
    const good = { class: 1, sex: "female", age: 30, fare: 100, port: "C" };
    expect(await wrong({ ...good, sex: "x" })).toMatchObject({
      code: "prediction-input-invalid",
      message: expect.stringMatching(/^Input 0: .*"sex" has no category "x".*female, male/) as string,
    });
    expect(await wrong({ ...good, fare: null })).toMatchObject({
      message: expect.stringContaining('"fare" is missing. Send a number') as string,
    });
    expect(await wrong({ ...good, fare: "much" })).toMatchObject({
      message: expect.stringContaining('"fare" takes a number, but "much" came') as string,
    });
  });

  it("refuses to train on missing values that no step fills, naming the step", async () => {
    expect(await run({ experiment: "ship", definition: classifier, features: ["age", "fare"] })).toMatchObject({
      state: "failed",
      reason: {
        code: "preprocessing-invalid",
        detail: expect.stringMatching(/"age" has \d+ missing.*impute/) as string,
      },
    });
  });

  it("says which shape the data has after preprocessing when the Input has another", async () => {
    const definition: StartRun["definition"] = {
      kind: "sequential",
      layers: [
        { layer: "Input", shape: [5] },
        { layer: "Dense", units: 2, activation: "softmax" },
      ],
    };
    await expect(run({ experiment: "ship", definition, preprocessing })).rejects.toMatchObject({
      code: "shape-mismatch",
      message: expect.stringMatching(/\[5\].*\[10\].*class=1, .*sex=female.*age, fare, port=C/) as string,
    });
  });

  it("refuses a last layer that does not fit the target", async () => {
    const definition = network({ units: 3, activation: "softmax" });
    await expect(run({ experiment: "ship", definition, preprocessing })).rejects.toMatchObject({
      code: "shape-mismatch",
      message: expect.stringMatching(/"survived" has 2 classes/) as string,
    });
  });
});

describe("a number to predict", () => {
  it("trains, is judged by regression figures, and answers a value", async () => {
    await importCsv("flats", flats(800), { target: "price" });
    const done = await run({
      experiment: "flats",
      definition: network({ units: 1 }),
      preprocessing: [
        { step: "impute", columns: ["rooms"], strategy: "mean" },
        { step: "standardise" },
        { step: "one_hot", handleUnknown: "error" },
      ],
      slices: ["district"],
      epochs: 60,
      optimizer: { name: "adam", learningRate: 0.01 },
    });
    expect(done).toMatchObject({ state: "succeeded", evaluation: { kind: "regression", split: "test" } });
    if (done.evaluation?.kind !== "regression") throw new Error("no regression");
    expect(done.evaluation.r2).toBeGreaterThan(0.95);
    expect(done.evaluation.meanAbsoluteError).toBeLessThan(0.2);
    expect(done.evaluation.slices).toHaveLength(3);
    await deploy(platform.yard, "flats");
    const answer = await platform.yard.endpoints.predict("flats", {
      inputs: [
        { area: 100, rooms: 3, district: "hill" },
        { area: 100, rooms: 3, district: "harbour" },
        { area: 50, rooms: null, district: "old town" },
      ],
    });
    const values = answer.predictions.map(({ value }) => Number(value));
    expect(Math.abs((values[0] ?? 0) - 5.3)).toBeLessThan(0.4);
    expect(Math.abs((values[1] ?? 0) - 3.3)).toBeLessThan(0.4);
    expect(Math.abs((values[2] ?? 0) - 2.3)).toBeLessThan(0.5);
    const comparison = await platform.yard.models.compare("flats", { a: 1, b: 1 });
    expect(comparison.metrics.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["r2", "maxError", "meanAbsoluteError (district = hill)"]),
    );
  });
});
