import { existsSync, readFileSync } from "node:fs";
import { expect } from "vitest";

const folder = new URL("../fixtures/golden/", import.meta.url);

/** An array of the fixtures; whole numbers are given as float32 too. */
export interface GoldenArray {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** Whether a fixture exists. */
export const hasGolden = (path: string): boolean => existsSync(new URL(path, folder));

/** Reads a JSON file of the fixtures. */
export const goldenJson = <T>(path: string): T => JSON.parse(readFileSync(new URL(path, folder), "utf8")) as T;

/** Reads a little-endian C-ordered `.npy` array of the fixtures. */
export const goldenArray = (path: string): GoldenArray => {
  const bytes = readFileSync(new URL(path, folder));
  const length = bytes.readUInt16LE(8);
  const header = bytes.toString("latin1", 10, 10 + length);
  const shape = (/'shape': \(([^)]*)\)/.exec(header)?.[1] ?? "")
    .split(",")
    .flatMap((d) => (d.trim() ? [Number(d)] : []));
  const descr = /'descr': '([^']+)'/.exec(header)?.[1] ?? "";
  const data = bytes.buffer.slice(bytes.byteOffset + 10 + length, bytes.byteOffset + bytes.length);
  const arrays: Record<string, () => Iterable<number>> = {
    "<f4": () => new Float32Array(data),
    "<f8": () => new Float64Array(data),
    "<i4": () => new Int32Array(data),
    "<i8": () => Array.from(new BigInt64Array(data), Number),
    "|u1": () => new Uint8Array(data),
  };
  const values = arrays[descr];
  if (values === undefined) throw new Error(`${path} holds ${descr}`);
  return { shape, values: Float32Array.from(values()) };
};

/** Largest absolute difference of two lists of equal length, NaN if one of them holds it. */
export const largestDifference = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  expect(a.length).toBe(b.length);
  let largest = 0;
  // Math.max keeps NaN.
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs((a[i] ?? NaN) - (b[i] ?? NaN)));
  return largest;
};
