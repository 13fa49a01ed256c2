import { createRandom } from "@modelyard/learn";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodePng } from "../../packages/platform/src/datasets/decode-image.ts";
import { deploy, startTestPlatform, type TestPlatform } from "../kit/platform.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform[Symbol.asyncDispose]());

const random = createRandom(5);

/** A coloured picture of any size with a bright bar: upright, or lying. */
const picture = (kind: "lying" | "upright") => {
  const [height, width] = [16 + random.integerBelow(20), 16 + random.integerBelow(20)];
  const data = new Uint8Array(height * width * 3).map(() => random.integerBelow(90));
  const colour = [150 + random.integerBelow(100), 150 + random.integerBelow(100), 150 + random.integerBelow(100)];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const place = kind === "upright" ? x / width : y / height;
      if (place > 0.4 && place < 0.6) data.set(colour, (y * width + x) * 3);
    }
  }
  return { data, height, width, channels: 3 };
};

describe("pictures of different sizes", () => {
  it("train through resize, grayscale and standardise, and are predicted as files and as pixels alike", async () => {
    const { yard } = platform;
    const files = await Promise.all(
      Array.from({ length: 160 }, async (_, i) => {
        const kind = i % 2 === 0 ? "lying" : "upright";
        return { name: `bars/${kind}/${i}.png`, content: Uint8Array.from(await encodePng(picture(kind))) };
      }),
    );
    for await (const event of yard.datasets.import("bars", { format: "image-folder" }, files)) {
      if (event.type === "failed") throw new Error(event.detail);
    }
    const started = await yard.runs.start({
      experiment: "bars",
      dataset: "bars@1",
      preprocessing: [
        { step: "resize", height: 18, width: 18 },
        { step: "crop", height: 14, width: 14 },
        { step: "grayscale" },
        { step: "standardise" },
      ],
      definition: {
        kind: "sequential",
        layers: [
          { layer: "Conv2D", filters: 8, kernelSize: 3, activation: "relu" },
          { layer: "MaxPooling2D", poolSize: 2 },
          { layer: "Flatten" },
          { layer: "Dense", units: 2, activation: "softmax" },
        ],
      },
      epochs: 12,
      batchSize: 16,
    });
    const run = await yard.runs.wait(started.id);
    expect(run).toMatchObject({ state: "succeeded", evaluation: { kind: "classification", split: "test" } });
    expect(run.evaluation?.kind === "classification" && run.evaluation.accuracy).toBeGreaterThan(0.85);
    const { artefact } = await yard.models.version("bars", 1);
    expect(artefact).toMatchObject({
      signature: {
        input: { kind: "image", height: null, width: null, channels: 3 },
        tensors: { inputs: [{ shape: [-1, 14, 14, 1] }] },
      },
      preprocessing: [
        { step: "resize", height: 18, width: 18, interpolation: "bilinear" },
        { step: "crop" },
        { step: "grayscale" },
        { step: "standardise", columns: ["image[0]"] },
      ],
    });
    await deploy(yard, "bars");
    for (const kind of ["lying", "upright"] as const) {
      const { data, height, width, channels } = picture(kind);
      const file = await yard.endpoints.predict("bars", {
        image: Uint8Array.from(await encodePng({ data, height, width, channels })),
      });
      const rows = Array.from({ length: height }, (_, y) =>
        Array.from({ length: width }, (__, x) => [...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)]),
      );
      const pixels = await yard.endpoints.predict("bars", { input: rows });
      expect(file.predictions[0]?.label).toBe(kind);
      expect(pixels.predictions).toEqual(file.predictions);
    }
  });
});
