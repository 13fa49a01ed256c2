import { createHash } from "node:crypto";
import type { LearnerState } from "@modelyard/learn";
import { PlatformError } from "../foundation/index.ts";

const magic = Buffer.from("MYCKPT1\n", "latin1");
const digestBytes = 32;
const headerStart = magic.length + digestBytes;

interface Header {
  /** Arrays in the order of their bytes: group, name, number of float32 values. */
  readonly arrays: readonly (readonly [ArrayGroup, string, number])[];
  readonly state: Omit<LearnerState, ArrayGroup>;
}

const arrayGroups = ["weights", "slots", "kept"] as const;
type ArrayGroup = (typeof arrayGroups)[number];

/**
 * A training's whole state as one file: magic, SHA-256 of what follows, length of the header, header (JSON),
 * float32 arrays in little-endian order.
 */
export const encodeCheckpoint = (state: LearnerState): Uint8Array => {
  const { weights, slots, kept, ...rest } = state;
  const groups = { weights, slots, kept } as const;
  const entries = arrayGroups.flatMap((group) =>
    Object.entries(groups[group]).map(([name, values]) => ({ group, name, values })),
  );
  const header: Header = {
    arrays: entries.map(({ group, name, values }) => [group, name, values.length]),
    state: rest,
  };
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  const arrays = entries.map(({ values }) => Buffer.from(values.buffer, values.byteOffset, values.byteLength));
  const content = Buffer.concat([length, text, ...arrays]);
  return Buffer.concat([magic, createHash("sha256").update(content).digest(), content]);
};

const corrupt = (): PlatformError =>
  new PlatformError("checkpoint-corrupt", "A checkpoint does not match its digest and is not used.");

/**
 * Reads a checkpoint.
 * @throws PlatformError `checkpoint-corrupt` when a byte is missing or changed.
 */
export const decodeCheckpoint = (bytes: Uint8Array): LearnerState => {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const content = file.subarray(headerStart);
  const digest = createHash("sha256").update(content).digest();
  if (!file.subarray(0, magic.length).equals(magic) || !file.subarray(magic.length, headerStart).equals(digest)) {
    throw corrupt();
  }
  const headerBytes = content.readUInt32LE(0);
  // The digest proves that this process's own writer made the rest.
  const header = JSON.parse(content.toString("utf8", 4, 4 + headerBytes)) as Header;
  const groups: Record<ArrayGroup, Record<string, Float32Array>> = { weights: {}, slots: {}, kept: {} };
  let at = 4 + headerBytes;
  for (const [group, name, length] of header.arrays) {
    const values = new Float32Array(length);
    new Uint8Array(values.buffer).set(content.subarray(at, at + values.byteLength));
    groups[group][name] = values;
    at += values.byteLength;
  }
  // Checkpoints of version 0.1.0 know of no reason to stop.
  return { ...header.state, stopped: header.state.stopped ?? null, ...groups };
};
