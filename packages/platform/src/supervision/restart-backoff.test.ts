import * as fc from "fast-check";
import { expect, test } from "vitest";
import { defaultBackoff, pauseMs } from "./restart-backoff.ts";

test("a pause never exceeds the longest one and never falls under half of the exponential step", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 10_000 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (crashes, random) => {
        const pause = pauseMs(defaultBackoff, crashes, random);
        const full = Math.min(defaultBackoff.longestMs, defaultBackoff.firstMs * 2 ** Math.min(crashes - 1, 30));
        expect(pause).toBeGreaterThanOrEqual(full / 2);
        expect(pause).toBeLessThanOrEqual(defaultBackoff.longestMs);
      },
    ),
  );
});

test("the first restart comes at once for people, a crash loop slows down", () => {
  expect(pauseMs(defaultBackoff, 1, 0.99)).toBeLessThanOrEqual(50);
  expect(pauseMs(defaultBackoff, 12, 0)).toBe(5_000);
});
