import { describe, expect, it } from "vitest";
import { parseIdxHeader } from "./idx.ts";
import { npyHeaderBytes, parseNpyHeader } from "./npy.ts";

const npyHead = (text: string, version = 1): Uint8Array => {
  const size = version === 1 ? [text.length & 255, text.length >> 8] : [text.length & 255, text.length >> 8, 0, 0];
  return Uint8Array.from(
    [0x93, ..."NUMPY"]
      .map((c) => (typeof c === "number" ? c : c.charCodeAt(0)))
      .concat(
        [version, 0],
        size,
        [...text].map((c) => c.charCodeAt(0)),
      ),
  );
};

describe("IDX headers", () => {
  it("reads element type, axes and where the data begins", () => {
    expect(parseIdxHeader(Uint8Array.of(0, 0, 8, 2, 0, 0, 1, 0, 0, 0, 0, 3, 99))).toEqual({
      element: "uint8",
      elementBytes: 1,
      shape: [256, 3],
      headerBytes: 12,
    });
  });

  it.each([
    ["nothing", []],
    ["another magic number", [1, 0, 8, 1, 0, 0, 0, 1]],
    ["an unknown element type", [0, 0, 10, 1, 0, 0, 0, 1]],
    ["no axes", [0, 0, 8, 0]],
    ["a header that is cut off", [0, 0, 8, 2, 0, 0, 0, 1]],
  ])("refuses %s", (_, bytes) => {
    expect(() => parseIdxHeader(Uint8Array.from(bytes))).toThrow(expect.objectContaining({ code: "idx-invalid" }));
  });
});

describe(".npy headers", () => {
  const text = "{'descr': '>f8', 'fortran_order': True, 'shape': (2, 3), }\n";

  it.each([1, 2, 3])("reads format version %i", (version) => {
    expect(parseNpyHeader(npyHead(text, version))).toEqual({
      element: "float64",
      elementBytes: 8,
      littleEndian: false,
      fortranOrder: true,
      shape: [2, 3],
      headerBytes: npyHead(text, version).length,
    });
  });

  it.each([
    ["another magic string", Uint8Array.from({ length: 20 }, () => 65)],
    ["an unknown version", npyHead(text, 9)],
    ["a header that is cut off", npyHead(text).subarray(0, 30)],
    ["an unreadable element type", npyHead("{'descr': '<U5', 'fortran_order': False, 'shape': (2,), }")],
    ["fields of a record", npyHead("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }")],
    ["a shape that is none", npyHead("{'descr': '<f4', 'fortran_order': False, 'shape': (2, -3), }")],
    ["no shape", npyHead("{'descr': '<f4', 'fortran_order': False}")],
  ])("refuses %s", (_, bytes) => {
    expect(() => parseNpyHeader(bytes)).toThrow(expect.objectContaining({ code: "npy-invalid" }));
  });

  it("refuses a header that claims more than is ever written", () => {
    const bytes = npyHead(text, 2);
    bytes.set([255, 255, 255, 127], 8);
    expect(() => npyHeaderBytes(bytes)).toThrow(expect.objectContaining({ code: "npy-invalid" }));
  });
});
