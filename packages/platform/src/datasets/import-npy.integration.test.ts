import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { openDatasetYard } from "../../../../tests/kit/dataset-imports.ts";
import type { DigestText } from "../foundation/index.ts";
import { openDataset } from "./open-dataset.ts";
import { sampleDataset } from "./sample-dataset.ts";

/** A `.npy` file, format version 1. */
const npy = (descr: string, shape: readonly number[], data: ArrayBufferView, fortran = "False"): Uint8Array => {
  const axes = `${shape.join(", ")}${shape.length === 1 ? "," : ""}`;
  const padded = `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': (${axes}), }`.padEnd(117).concat("\n");
  const head = Buffer.alloc(10);
  head.set([0x93, ...Buffer.from("NUMPY"), 1, 0]);
  head.writeUInt16LE(padded.length, 8);
  return Buffer.concat([
    head,
    Buffer.from(padded, "latin1"),
    new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  ]);
};

const x = npy(
  "<f4",
  [4, 3],
  Float32Array.from({ length: 12 }, (_, i) => i / 2),
);
const y = npy("<i8", [4], BigInt64Array.of(0n, 1n, 0n, 2n));

describe("importing NumPy arrays", () => {
  it("keeps a float array as tensor and its integer labels as classes", async () => {
    await using yard = await openDatasetYard();
    const files = [
      { name: "x.npy", content: x },
      { name: "y.npy", content: y },
    ];
    const { version } = await yard.import(files, { format: "npy", labels: ["a", "b", "c"] });
    expect(version).toMatchObject({
      rows: 4,
      target: "label",
      columns: [
        { kind: "tensor", name: "x", dtype: "float32", shape: [3] },
        { kind: "category", name: "label", categories: ["a", "b", "c"] },
      ],
    });
    const reader = await openDataset(yard.blobs, version.digest as DigestText);
    expect(await reader.column("x")).toMatchObject({ data: Float32Array.from({ length: 12 }, (_, i) => i / 2) });
    expect(await reader.column("label")).toMatchObject({ data: Int32Array.of(0, 1, 0, 2) });
    const [row] = await sampleDataset(yard.blobs, version.digest as DigestText, {
      split: "train",
      offset: 0,
      limit: 1,
    });
    expect(row?.values["x"]).toHaveLength(3);
  });

  it("takes bytes of three or four axes for images, in the parts that the names say", async () => {
    await using yard = await openDatasetYard();
    const pixels = (rows: number) =>
      npy(
        "|u1",
        [rows, 2, 2, 3],
        Uint8Array.from({ length: rows * 12 }, (_, i) => i),
      );
    const { version } = await yard.import(
      [
        { name: "x_test.npy", content: pixels(2) },
        { name: "y_test.npy", content: npy("<f8", [2, 1], Float64Array.of(1.5, 2.5)) },
        { name: "x_train.npy", content: pixels(3) },
        { name: "y_train.npy", content: npy("<f8", [3, 1], Float64Array.of(3, 4, 5)) },
      ],
      { format: "npy" },
    );
    expect(version).toMatchObject({
      columns: [
        { kind: "image", height: 2, width: 2, channels: 3 },
        { kind: "number", name: "label" },
      ],
      split: { train: 3, validation: 0, test: 2 },
    });
    const reader = await openDataset(yard.blobs, version.digest as DigestText);
    expect(await reader.column("label")).toEqual({ kind: "number", data: Float64Array.of(3, 4, 5, 1.5, 2.5) });
  });

  it.each([
    ["big-endian shorts", npy(">i2", [2, 1], Uint8Array.of(0x01, 0x02, 0xff, 0xfe)), "int32", [258, -2]],
    ["half precision", npy("<f2", [2, 1], Uint8Array.of(0x00, 0x3c, 0x00, 0xc1)), "float32", [1, -2.5]],
    ["booleans", npy("|b1", [2, 1], Uint8Array.of(1, 0)), "uint8", [1, 0]],
    ["big-endian 64-bit integers", npy(">i8", [1, 1], Uint8Array.of(0, 0, 0, 0, 0, 0, 1, 0)), "int64", [256n]],
    ["unsigned 32-bit integers", npy("<u4", [1, 1], Uint32Array.of(4_000_000_000)), "int64", [4_000_000_000n]],
  ] as const)("reads %s", async (_, content, dtype, values) => {
    await using yard = await openDatasetYard();
    const { version } = await yard.import([{ name: "x.npy", content }], { format: "npy" });
    expect(version.target).toBeNull();
    const column = await (await openDataset(yard.blobs, version.digest as DigestText)).column("x");
    expect(column).toMatchObject({ kind: "tensor", dtype });
    expect(column.kind === "tensor" && [...column.data]).toEqual(values);
  });

  it("reads arrays as NumPy writes them", async () => {
    await using yard = await openDatasetYard();
    const folder = new URL("../../../../tests/fixtures/golden/losses/", import.meta.url);
    const content = await readFile(new URL("categorical_crossentropy.pred.npy", folder));
    const { version } = await yard.import([{ name: "x.npy", content }], { format: "npy" });
    const [column] = version.columns;
    if (column?.kind !== "tensor") throw new Error("not a tensor");
    const width = { uint8: 1, int32: 4, float32: 4, int64: 8, float64: 8 }[column.dtype];
    const bytes = version.rows * column.shape.reduce((a, b) => a * b, width);
    const stored = await (await openDataset(yard.blobs, version.digest as DigestText)).column("x");
    if (stored.kind !== "tensor") throw new Error("not a tensor");
    expect(Buffer.from(stored.data.buffer)).toEqual(content.subarray(content.length - bytes));
  });
});

describe("NumPy arrays that cannot be imported", () => {
  const cases = [
    ["another file", "npy-invalid", /NUMPY/, [{ name: "x.npy", content: "PK\u0003\u0004 an archive" }]],
    ["objects", "npy-invalid", /element type is '\|O'/, [{ name: "x.npy", content: npy("|O", [1], Uint8Array.of(1)) }]],
    [
      "Fortran order",
      "npy-invalid",
      /ascontiguousarray/,
      [{ name: "x.npy", content: npy("<f4", [2, 2], new Float32Array(4), "True") }],
    ],
    [
      "data that is cut off",
      "npy-invalid",
      /announces 48 bytes.*has 40/,
      [{ name: "x.npy", content: x.subarray(0, -8) }],
    ],
    ["data beyond the shape", "npy-invalid", /has more/, [{ name: "x.npy", content: Buffer.concat([x, x]) }]],
    [
      "no axes",
      "npy-invalid",
      /no axes/,
      [{ name: "x.npy", content: npy("<f4", [], new Float32Array(1)).map((byte) => byte) }],
    ],
    [
      "labels of another count",
      "dataset-mismatch",
      /4 rows.*2/,
      [
        { name: "x.npy", content: x },
        { name: "y.npy", content: npy("<i4", [2], Int32Array.of(0, 1)) },
      ],
    ],
    ["a name that says nothing", "dataset-mismatch", /array.npy/, [{ name: "array.npy", content: x }]],
    ["labels alone", "dataset-mismatch", /no array of inputs/, [{ name: "y.npy", content: y }]],
    [
      "parts of different shape",
      "dataset-mismatch",
      /different shape/,
      [
        { name: "x_train.npy", content: x },
        { name: "x_test.npy", content: npy("<f4", [1, 2], new Float32Array(2)) },
      ],
    ],
  ] as const;

  it.each(cases)("refuses %s, says why, and leaves nothing behind", async (_, code, detail, files) => {
    await using yard = await openDatasetYard();
    const refusal = await yard.refusal([...files], { format: "npy" });
    expect(refusal.code).toBe(code);
    expect(refusal.detail).toMatch(detail);
    expect(yard.blobs.digests()).toEqual([]);
  });
});
