import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { describeLanguageModel } from "./describe-model.ts";
import { encodeTensor, toHalf } from "./encode-tensor.ts";
import { randomLlama } from "./random-llama.ts";
import { readGgufHeader } from "./read-gguf.ts";
import { writeGguf } from "./write-gguf.ts";

const shape = {
  name: "tiny",
  contextLength: 64,
  embeddingLength: 64,
  feedForwardLength: 96,
  blocks: 2,
  heads: 4,
  keyValueHeads: 2,
};
const join = (pieces: Iterable<Uint8Array>): Uint8Array => {
  const list = [...pieces];
  const whole = new Uint8Array(list.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const piece of list) {
    whole.set(piece, at);
    at += piece.byteLength;
  }
  return whole;
};
const tiny = (encoding: "F32" | "F16" | "Q8_0"): Uint8Array =>
  join(writeGguf(randomLlama({ shape, vocabularySize: 512, encoding, seed: 1 })));
const file = tiny("Q8_0");
const refused = expect.objectContaining({ code: "gguf-invalid" }) as Error;

/** Value of half-precision bits. */
const fromHalf = (bits: number): number => {
  const [sign, exponent, fraction] = [bits >> 15 === 0 ? 1 : -1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
};

describe("GGUF", () => {
  it.each(["F32", "F16", "Q8_0"] as const)("reads back what it writes: %s", (encoding) => {
    const bytes = tiny(encoding);
    const header = readGgufHeader(bytes, bytes.byteLength);
    expect(header?.version).toBe(3);
    expect(header?.tensors.map(({ name }) => name)).toContain("blk.1.ffn_down.weight");
    expect(header && describeLanguageModel(header)).toMatchObject({
      architecture: "llama",
      contextLength: 64,
      vocabularySize: 512,
      quantization: encoding,
      // 2 blocks, 2 heads of 16 for keys and for values, 2 bytes each.
      keyValueBytesPerToken: 2 * 2 * (16 + 16) * 2,
    });
  });

  it("asks for more when the header goes on, and for nothing when it has it", () => {
    const header = readGgufHeader(file, file.byteLength);
    const end = header?.dataOffset ?? 0;
    expect(readGgufHeader(file.subarray(0, 100), file.byteLength)).toBeNull();
    expect(readGgufHeader(file.subarray(0, end), file.byteLength)).toEqual(header);
  });

  it("refuses a file that ends at any 64th byte", () => {
    for (let length = 0; length < file.byteLength; length += 64) {
      expect(() => readGgufHeader(file.subarray(0, length), length)).toThrow(refused);
    }
  });

  const changed = (at: number, write: (view: DataView) => void): Uint8Array => {
    const copy = file.slice();
    write(new DataView(copy.buffer, at));
    return copy;
  };
  const find = (text: string): number => {
    const at = Buffer.from(file).indexOf(text);
    expect(at).toBeGreaterThan(0);
    return at;
  };

  it.each([
    ["another magic number", () => changed(0, (view) => view.setUint32(0, 0))],
    ["a version of the future", () => changed(4, (view) => view.setUint32(0, 4, true))],
    ["a big-endian file", () => changed(4, (view) => view.setUint32(0, 3, false))],
    ["2^63 tensors", () => changed(8, (view) => view.setBigUint64(0, 2n ** 63n, true))],
    ["2^63 metadata entries", () => changed(16, (view) => view.setBigUint64(0, 2n ** 63n, true))],
    ["2^64 − 1 metadata entries", () => changed(16, (view) => view.setBigUint64(0, 2n ** 64n - 1n, true))],
    ["a key of 2^63 bytes", () => changed(24, (view) => view.setBigUint64(0, 2n ** 63n, true))],
    [
      "a metadata type that does not exist",
      () => changed(find("general.name") + 12, (view) => view.setUint32(0, 99, true)),
    ],
    [
      "an array of 2^62 texts",
      () => changed(find("tokenizer.ggml.tokens") + 21 + 8, (view) => view.setBigUint64(0, 2n ** 62n, true)),
    ],
    ["nine dimensions", () => changed(find("token_embd.weight") + 17, (view) => view.setUint32(0, 9, true))],
    [
      "sizes whose product overflows",
      () => {
        const at = find("token_embd.weight") + 17 + 4;
        return changed(at, (view) => {
          view.setBigUint64(0, 2n ** 52n, true);
          view.setBigUint64(8, 2n ** 52n, true);
        });
      },
    ],
    ["a size of zero", () => changed(find("token_embd.weight") + 17 + 4, (view) => view.setBigUint64(0, 0n, true))],
    ["an unknown encoding", () => changed(find("token_embd.weight") + 17 + 20, (view) => view.setUint32(0, 77, true))],
    [
      "an offset outside the file",
      () => changed(find("token_embd.weight") + 17 + 24, (view) => view.setBigUint64(0, 2n ** 40n, true)),
    ],
    [
      "rows that are no whole blocks",
      () => changed(find("token_embd.weight") + 17 + 4, (view) => view.setBigUint64(0, 63n, true)),
    ],
  ])("refuses %s", (_, make) => {
    const bytes = make();
    expect(() => readGgufHeader(bytes, bytes.byteLength)).toThrow(refused);
  });

  it("never does anything but read or refuse, whatever bytes are changed", () => {
    const change = fc.tuple(fc.nat(Math.min(file.byteLength, 12_000) - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 8 }), (changes) => {
        const bytes = file.slice();
        for (const [at, value] of changes) bytes[at] = value;
        try {
          const header = readGgufHeader(bytes, bytes.byteLength);
          if (header !== null) describeLanguageModel(header);
        } catch (error) {
          expect(error).toEqual(refused);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("refuses a vocabulary whose tables do not fit each other", () => {
    const header = readGgufHeader(file, file.byteLength);
    const metadata = new Map(header?.metadata);
    metadata.set("tokenizer.ggml.scores", { type: "array", value: { element: "f32", values: [1, 2] } });
    expect(() => header && describeLanguageModel({ ...header, metadata })).toThrow(refused);
    metadata.delete("tokenizer.ggml.scores");
    metadata.set("tokenizer.ggml.bos_token_id", { type: "u32", value: 512 });
    expect(() => header && describeLanguageModel({ ...header, metadata })).toThrow(refused);
  });
});

describe("encodings", () => {
  it("round to the nearest half-precision number, ties to even", () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, min: -65_000, max: 65_000 }), (value) => {
        const bits = toHalf(value);
        const error = Math.abs(fromHalf(bits) - value);
        for (const neighbour of [bits - 1, bits + 1]) {
          if ((neighbour & 0x7fff) > 0x7c00 || neighbour < 0) continue;
          expect(error).toBeLessThanOrEqual(Math.abs(fromHalf(neighbour) - value));
        }
      }),
    );
    expect([toHalf(1), toHalf(-2), toHalf(65_520), toHalf(2 ** -24), toHalf(2 ** -25)]).toEqual([
      0x3c00, 0xc000, 0x7c00, 1, 0,
    ]);
  });

  it("keep Q8_0 blocks within half a step of the scale", () => {
    fc.assert(
      fc.property(fc.array(fc.float({ noNaN: true, min: -8, max: 8 }), { minLength: 32, maxLength: 32 }), (list) => {
        const values = Float32Array.from(list);
        const bytes = encodeTensor(values, "Q8_0");
        const view = new DataView(bytes.buffer);
        const scale = fromHalf(view.getUint16(0, true));
        const exact = Math.max(...values.map(Math.abs)) / 127;
        for (const [i, value] of values.entries()) {
          const got = view.getInt8(2 + i) * scale;
          expect(Math.abs(got - value)).toBeLessThanOrEqual(exact * 0.51 + Math.abs(scale - exact) * 127 + 1e-7);
        }
      }),
    );
  });
});
