/** Encodings that can be written. */
export type WritableEncoding = "F32" | "F16" | "Q8_0";

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** Takes off bits at the end, rounding to nearest with ties to even. */
const rounded = (value: number, bitsOff: number): number => {
  const kept = value >>> bitsOff;
  const rest = value & ((1 << bitsOff) - 1);
  const half = 1 << (bitsOff - 1);
  return kept + (rest > half || (rest === half && (kept & 1) === 1) ? 1 : 0);
};

/** Bits of the nearest IEEE half-precision number, ties to even; beyond its range infinity. */
export const toHalf = (value: number): number => {
  float[0] = value;
  const from = bits[0] ?? 0;
  const sign = (from >>> 16) & 0x8000;
  const magnitude = from & 0x7fff_ffff;
  if (magnitude >= 0x7f80_0000) return sign | (magnitude > 0x7f80_0000 ? 0x7e00 : 0x7c00);
  if (magnitude >= 0x4780_0000) return sign | 0x7c00;
  if (magnitude >= 0x3880_0000) {
    // A carry of the rounding runs into the exponent, as it should.
    return sign | rounded(magnitude - 0x3800_0000, 13);
  }
  if (magnitude < 0x3300_0000) return sign;
  return sign | rounded((magnitude & 0x7f_ffff) | 0x80_0000, 126 - (magnitude >>> 23));
};

const q8Elements = 32;
const q8Bytes = 34;

const encodeQ8 = (values: Float32Array): Uint8Array => {
  const blocks = values.length / q8Elements;
  const bytes = new Uint8Array(blocks * q8Bytes);
  const view = new DataView(bytes.buffer);
  for (let block = 0; block < blocks; block++) {
    const part = values.subarray(block * q8Elements, (block + 1) * q8Elements);
    let largest = 0;
    for (const value of part) largest = Math.max(largest, Math.abs(value));
    const scale = Math.fround(largest / 127);
    const inverse = scale === 0 ? 0 : Math.fround(1 / scale);
    view.setUint16(block * q8Bytes, toHalf(scale), true);
    for (let i = 0; i < q8Elements; i++) {
      view.setInt8(block * q8Bytes + 2 + i, Math.round(Math.fround((part[i] ?? 0) * inverse)));
    }
  }
  return bytes;
};

/**
 * Encodes numbers as a GGUF tensor stores them, little-endian. Q8_0: blocks of 32 signed bytes with a half-precision
 * scale of the block's largest magnitude / 127.
 * @throws RangeError when a Q8_0 tensor holds no whole blocks of 32.
 */
export const encodeTensor = (values: Float32Array, encoding: WritableEncoding): Uint8Array => {
  if (encoding === "Q8_0") {
    if (values.length % q8Elements !== 0) throw new RangeError("a Q8_0 tensor holds whole blocks of 32 values");
    return encodeQ8(values);
  }
  const bytes = new Uint8Array(values.length * (encoding === "F32" ? 4 : 2));
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? 0;
    if (encoding === "F32") view.setFloat32(i * 4, value, true);
    else view.setUint16(i * 2, toHalf(value), true);
  }
  return bytes;
};
