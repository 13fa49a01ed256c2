import * as fc from "fast-check";
import { expect, test } from "vitest";
import { encodeFrame, type Frame, FrameError, frameKinds, type FrameKind, readFrames } from "./frame.ts";

const frames = fc.array(
  fc.record({
    kind: fc.constantFrom(...(Object.keys(frameKinds) as FrameKind[])),
    request: fc.nat(0xffff_ffff),
    head: fc.option(fc.dictionary(fc.string({ unit: "grapheme" }), fc.integer()), { nil: null }),
    body: fc.uint8Array({ maxLength: 300 }),
  }),
  { maxLength: 8 },
);
const bytesOf = (list: readonly Frame[]): Buffer =>
  Buffer.concat(list.flatMap((frame) => encodeFrame(frame.kind, frame.request, frame)));
const plain = (frame: Frame) => ({ ...frame, body: [...frame.body] });

test("frames come out as they went in, wherever the stream is cut", () => {
  fc.assert(
    fc.property(frames, fc.array(fc.nat(4_000)), (list, cuts) => {
      const got: Frame[] = [];
      const feed = readFrames(1_000_000, (frame) => void got.push(frame));
      const bytes = bytesOf(list);
      const ends = [...cuts.map((cut) => Math.min(cut, bytes.length)), bytes.length].toSorted((a, b) => a - b);
      let from = 0;
      for (const end of ends) {
        feed(Buffer.from(bytes.subarray(from, end)));
        from = end;
      }
      // JSON has no prototype member and no difference between an absent and a null head.
      expect(got.map(plain)).toEqual(JSON.parse(JSON.stringify(list.map(plain))));
    }),
  );
});

test("any bytes give frames or a FrameError, never another failure, and never more than the bound is held", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 20 }), (chunks) => {
      const feed = readFrames(64, (frame) => expect(frame.body.length).toBeLessThanOrEqual(64));
      try {
        for (const chunk of chunks) feed(Buffer.from(chunk));
      } catch (error) {
        expect(error).toBeInstanceOf(FrameError);
      }
    }),
  );
});

test("a frame larger than the bound is refused as soon as its length is known", () => {
  const feed = readFrames(64, () => {});
  const [start] = encodeFrame("infer", 1, { body: new Uint8Array(100) });
  expect(() => feed(Buffer.from((start as Uint8Array).subarray(0, 4)))).toThrow(FrameError);
});

test("tensors behind the JSON of a large frame lie where arrays of 8 bytes may begin, without a copy", () => {
  fc.assert(
    fc.property(fc.nat(2000), fc.integer({ min: 1, max: 1 << 20 }), (headerBytes, chunkBytes) => {
      const body = Buffer.concat([Buffer.alloc(headerBytes, "{"), Buffer.alloc(1 << 20)]);
      const bytes = Buffer.concat(encodeFrame("infer", 1, { head: { headerBytes }, body }));
      const got: Frame[] = [];
      const feed = readFrames(1 << 22, (frame) => void got.push(frame));
      for (let at = 0; at < bytes.length; at += chunkBytes) feed(Buffer.from(bytes.subarray(at, at + chunkBytes)));
      expect(got[0]?.head).toEqual({ headerBytes });
      expect(body.equals(got[0]?.body ?? body.subarray(1))).toBe(true);
      if (chunkBytes < bytes.length) expect(((got[0]?.body.byteOffset ?? 0) + headerBytes) % 8).toBe(0);
    }),
    { numRuns: 50 },
  );
});
