import { importFashion, startBenchPlatform } from "../platform.ts";
import { median, type Scenario, spread } from "./scenario.ts";

const rounds = 5;
const secondsMax = 5;

/** Measures the import of Fashion-MNIST through the whole platform. */
export const scenario: Scenario = {
  name: "import",
  summary: "70,000 images from gzipped IDX over HTTP into a version, with profile, splits and leak check",
  run: async (io) => {
    const seconds: number[] = [];
    for (let round = 0; round < rounds; round++) {
      // A fresh platform each time: bytes that are there already would not be written again.
      await using platform = await startBenchPlatform();
      seconds.push(await importFashion(platform, "fashion"));
      io.log(`import ${round + 1}: ${seconds.at(-1)?.toFixed(2)} s`);
    }
    return {
      figures: { seconds: spread(seconds) },
      ratios: { secondsAllowedOverTaken: { value: secondsMax / median(seconds), atLeast: 1 } },
    };
  },
};
