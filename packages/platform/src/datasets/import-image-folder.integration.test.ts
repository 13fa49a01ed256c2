import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { openDatasetYard, type TestFile } from "../../../../tests/kit/dataset-imports.ts";
import type { DigestText } from "../foundation/index.ts";
import { decodeImage } from "./decode-image.ts";
import { openDataset } from "./open-dataset.ts";
import { sampleDataset } from "./sample-dataset.ts";

interface Picture {
  readonly height?: number;
  readonly width?: number;
  readonly channels?: 1 | 3 | 4;
  readonly shade?: number;
}

const raw = ({ height = 6, width = 4, channels = 3, shade = 0 }: Picture): Uint8Array =>
  Uint8Array.from({ length: height * width * channels }, (_, i) => (i * 7 + shade) % 256);

const png = (picture: Picture = {}): Promise<Buffer> => {
  const { height = 6, width = 4, channels = 3 } = picture;
  const image = sharp(raw(picture), { raw: { height, width, channels } });
  return (channels === 1 ? image.toColourspace("b-w") : image).png().toBuffer();
};

const file = async (name: string, picture: Picture = {}): Promise<TestFile> => ({ name, content: await png(picture) });

describe("importing a folder of images", () => {
  it("stores images of one size as pixels, with the folder as class", async () => {
    await using yard = await openDatasetYard();
    const files = [
      await file("pets/cat/1.png", { shade: 1 }),
      await file("pets/cat/2.png", { shade: 2 }),
      await file("pets/dog/1.png", { shade: 3 }),
      { name: "pets/.DS_Store", content: "clutter" },
    ];
    const { version } = await yard.import(files, { format: "image-folder" });
    expect(version).toMatchObject({
      rows: 3,
      target: "label",
      columns: [
        { kind: "image", height: 6, width: 4, channels: 3 },
        { kind: "category", categories: ["cat", "dog"] },
      ],
    });
    const reader = await openDataset(yard.blobs, version.digest as DigestText);
    const pixels = Buffer.concat([1, 2, 3].map((shade) => raw({ shade })));
    expect(await reader.column("image")).toMatchObject({ kind: "image", data: new Uint8Array(pixels) });
    // Pixels, labels, assignment, profile and manifest: the uploaded files are not kept beside the pixels.
    expect(yard.blobs.digests()).toHaveLength(5);
  });

  it("keeps images of different sizes as they came and decodes them when they are read", async () => {
    await using yard = await openDatasetYard();
    const small = await file("train/cat/1.png", { channels: 1 });
    const large = await file("test/dog/1.png", { height: 9, width: 5 });
    const { version } = await yard.import([large, small], { format: "image-folder" });
    expect(version).toMatchObject({
      columns: [{ kind: "image", height: null, width: null, channels: 3 }, {}],
      split: { plan: { by: "given" }, train: 1, validation: 0, test: 1 },
    });
    const reader = await openDataset(yard.blobs, version.digest as DigestText);
    const column = await reader.column("image");
    if (column.kind !== "encoded-image") throw new Error("not encoded");
    const [row = -1] = reader.rowsOf("train");
    expect(Buffer.from(column.item(row))).toEqual(small.content);
    const read = await column.pixels(row);
    expect(read).toEqual(await decodeImage(column.item(row), { channels: 3 }));
    const [sample] = await sampleDataset(yard.blobs, version.digest as DigestText, {
      split: "test",
      offset: 0,
      limit: 1,
    });
    const shown = await sharp(Buffer.from(String(sample?.values["image"]), "base64")).metadata();
    expect(shown).toMatchObject({ format: "png", height: 9, width: 5 });
  });

  it("gives the same version in whichever order the files arrive, pixels or files", async () => {
    await using yard = await openDatasetYard();
    const same = await Promise.all([1, 2, 3, 4].map((i) => file(`c${i % 2}/${i}.png`, { shade: i })));
    const mixed = await Promise.all([1, 2, 3, 4].map((i) => file(`c${i % 2}/${i}.png`, { height: 3 + i })));
    for (const files of [same, mixed]) {
      const first = await yard.import(files, { format: "image-folder" });
      const before = yard.blobs.digests().toSorted();
      const again = await yard.import(files.toReversed(), { format: "image-folder" });
      expect(again).toMatchObject({ created: false, version: { digest: first.version.digest } });
      expect(yard.blobs.digests().toSorted()).toEqual(before);
    }
  });

  it("finds the same picture in two files, though they are compressed differently", async () => {
    await using yard = await openDatasetYard();
    const picture = await png();
    const webp = await sharp(picture).webp({ lossless: true }).toBuffer();
    const { version } = await yard.import(
      [
        { name: "train/cat/1.png", content: picture },
        { name: "test/dog/2.webp", content: webp },
      ],
      { format: "image-folder" },
    );
    expect(version.leaks).toMatchObject({ duplicateRows: 1, acrossSplits: 1, conflictingLabels: 1 });
  });
});

describe("folders that cannot be imported", () => {
  it("names the image that does not decode and leaves nothing behind", async () => {
    await using yard = await openDatasetYard();
    const broken = { name: "cat/broken.png", content: (await png({ height: 90, width: 90 })).subarray(0, 400) };
    const files = [
      await file("cat/1.png"),
      broken,
      ...(await Promise.all([2, 3, 4, 5].map((i) => file(`cat/${i}.png`)))),
    ];
    const refusal = await yard.refusal(files, { format: "image-folder" });
    expect(refusal.code).toBe("image-undecodable");
    expect(refusal.detail).toContain("cat/broken.png");
    expect(yard.blobs.digests()).toEqual([]);
  });

  it.each([
    ["a text among the images", "image-undecodable", [{ name: "cat/readme.txt", content: "not an image" }]],
    ["an empty file", "image-undecodable", [{ name: "cat/1.png", content: "" }]],
    ["an image in no folder", "dataset-mismatch", [{ name: "1.png", content: "" }]],
    ["nothing but clutter", "dataset-empty", [{ name: "cat/.DS_Store", content: "x" }]],
  ] as const)("refuses %s", async (_, code, files) => {
    await using yard = await openDatasetYard();
    expect((await yard.refusal([...files], { format: "image-folder" })).code).toBe(code);
  });

  it("refuses images partly inside and partly outside the folders of a split, and the same file twice", async () => {
    await using yard = await openDatasetYard();
    const inside = await file("train/cat/1.png");
    const outside = await file("cat/1.png");
    expect((await yard.refusal([inside, outside], { format: "image-folder" })).code).toBe("dataset-mismatch");
    expect((await yard.refusal([inside, inside], { format: "image-folder" })).detail).toMatch(/uploaded twice/);
  });

  it("refuses an image of more pixels than allowed before it takes the memory", async () => {
    const bomb = await sharp({ create: { width: 8000, height: 8000, channels: 3, background: "white" } })
      .png()
      .toBuffer();
    await expect(decodeImage(bomb)).rejects.toMatchObject({ code: "image-undecodable" });
  });
});

describe("decoding an image", () => {
  it("gives pixels upright, without transparency, in the channels asked for", async () => {
    expect(await decodeImage(await png())).toMatchObject({
      height: 6,
      width: 4,
      channels: 3,
      data: Buffer.from(raw({})),
    });
    expect(await decodeImage(await png({ channels: 4 }))).toMatchObject({ channels: 3 });
    expect(await decodeImage(await png({ channels: 1 }), { channels: 3 })).toMatchObject({ channels: 3 });
    expect(await decodeImage(await png(), { channels: 1 })).toMatchObject({ channels: 1 });
    const turned = await sharp(await png())
      .jpeg()
      .withMetadata({ orientation: 6 })
      .toBuffer();
    expect(await decodeImage(turned)).toMatchObject({ height: 4, width: 6 });
  });

  it("reads grey pixels as they are stored, of one or two bytes", async () => {
    const grey = raw({ channels: 1 });
    expect((await decodeImage(await png({ channels: 1 }))).data).toEqual(Buffer.from(grey));
    const wide = await sharp(
      Uint16Array.from(grey, (value) => value * 257),
      { raw: { height: 6, width: 4, channels: 1 } },
    )
      .toColourspace("grey16")
      .png()
      .toBuffer();
    const decoded = await decodeImage(wide);
    expect(decoded.channels).toBe(1);
    expect(decoded.data).toEqual(Buffer.from(grey));
  });
});
