import { describe, expect, it } from "vitest";
import { resizePixels } from "./resize-pixels.ts";

describe("resizing pixels", () => {
  it("interpolates with half-pixel centres as tf.image.resize does", () => {
    // tf.image.resize([[0, 100], [200, 40]], [4, 4], "bilinear"), by the formula: sample at (i + 0.5) / 2 - 0.5.
    const image = { data: Uint8Array.of(0, 100, 200, 40), height: 2, width: 2, channels: 1 };
    expect([...resizePixels(image, { height: 4, width: 4 })]).toEqual([
      0, 25, 75, 100, 50, 59, 76, 85, 150, 126, 79, 55, 200, 160, 80, 40,
    ]);
  });

  it("does not change an image of the same size, and keeps channels apart", () => {
    const data = Uint8Array.from({ length: 18 }, (_, i) => i * 13);
    expect(resizePixels({ data, height: 2, width: 3, channels: 3 }, { height: 2, width: 3 })).toEqual(data);
    const flat = Uint8Array.from({ length: 12 }, (_, i) => (i % 3) * 100);
    const larger = resizePixels({ data: flat, height: 2, width: 2, channels: 3 }, { height: 5, width: 3 });
    expect(larger.every((value, i) => value === (i % 3) * 100)).toBe(true);
  });
});
