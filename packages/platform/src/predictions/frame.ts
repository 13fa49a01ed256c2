/** What a frame is. Gateway to replica: `infer`, `predict`, `cancel`. Replica to gateway: the others. */
export const frameKinds = {
  /** Head: length of the JSON, encodings, when the body is not plain JSON; body: as the client sent it. */
  infer: 1,
  /** Head: content type and request id; body: as the client sent it. */
  predict: 2,
  /** The client is gone; an answer is no longer wanted. */
  cancel: 3,
  /** Body: JSON of TensorFlow Serving, as the client sent it. */
  tensorflow: 4,
  /** Asks what was served so far. */
  statistics: 5,
  /** Head: what is asked of a language model, and by whom; body: JSON as the client sent it. */
  language: 6,
  /** Body: a `ModelInferRequest` of gRPC, as the client sent it. */
  grpc: 7,
  /** Head: length of the JSON and encoding, when the body is not plain JSON; body: to hand to the client as it is. */
  answer: 16,
  /** Head: code, detail and fields of an error. */
  failure: 17,
  /** Head: rows and milliseconds of a run that was made. */
  batch: 18,
  /** First frame of a connection; head: what the replica serves. */
  hello: 19,
  /** No request should follow; those under way will be answered. */
  draining: 20,
  /** Body: a part of a streamed answer, to hand to the client as it is; `answer` or `failure` ends it. */
  part: 21,
} as const;

/** Kind of a frame by name. */
export type FrameKind = keyof typeof frameKinds;

/** A message between gateway and replica. */
export interface Frame {
  readonly kind: FrameKind;
  /** Chosen by the gateway, unique among its open requests of the connection; 0 where no request is meant. */
  readonly request: number;
  /** Small JSON; `null` when there is none. */
  readonly head: unknown;
  readonly body: Uint8Array;
}

/** What a frame carries; the body may come in pieces. */
export interface FrameContent {
  readonly head?: unknown;
  readonly body?: Uint8Array | readonly Uint8Array[];
}

/** Bytes before head and body: length of what follows the length, request, kind, length of the head. */
const frameHeaderBytes = 12;
const headBytesMax = 65_535;
const kindNames = new Map<number, FrameKind>(
  Object.entries(frameKinds).map(([name, number]) => [number, name as FrameKind]),
);
// Tensors behind a large body's JSON begin at a multiple of this, so that they need no copy to be read.
const alignment = 8;

/** Spaces that make the JSON of a head so long that `leading` bytes of the body end at a multiple of 8. */
const padding = (headBytes: number, leading: number): number =>
  (alignment - ((frameHeaderBytes + headBytes + leading) % alignment)) % alignment;

/** Bytes of a body's JSON, when the head says that tensors follow it. */
const alignedAfter = (head: unknown): number => {
  const { headerBytes } = head as { readonly headerBytes?: unknown };
  return typeof headerBytes === "number" ? headerBytes : 0;
};

/**
 * The pieces of a frame in order of sending; the body is not copied.
 * @throws RangeError when the head is larger than 65,535 bytes.
 */
export const encodeFrame = (kind: FrameKind, request: number, content: FrameContent = {}): Uint8Array[] => {
  const { head = null, body = [] } = content;
  const pieces = body instanceof Uint8Array ? [body] : body;
  let bodyBytes = 0;
  for (const piece of pieces) bodyBytes += piece.byteLength;
  let text = head === null ? "" : JSON.stringify(head);
  if (text !== "") text += " ".repeat(padding(Buffer.byteLength(text), alignedAfter(head)));
  const headBytes = text === "" ? 0 : Buffer.byteLength(text);
  if (headBytes > headBytesMax) throw new RangeError(`a frame's head holds at most ${headBytesMax} bytes`);
  const start = Buffer.allocUnsafe(frameHeaderBytes + headBytes);
  start.writeUInt32LE(frameHeaderBytes - 4 + headBytes + bodyBytes, 0);
  start.writeUInt32LE(request, 4);
  start.writeUInt16LE(frameKinds[kind], 8);
  start.writeUInt16LE(headBytes, 10);
  if (headBytes > 0) start.write(text, frameHeaderBytes);
  return [start, ...pieces];
};

/** The other end does not speak frames, or breaks a bound: the connection is of no use any more. */
export class FrameError extends Error {
  override readonly name = "FrameError";
}

const decode = (frame: Buffer): Frame => {
  const kind = kindNames.get(frame.readUInt16LE(8));
  const headEnd = frameHeaderBytes + frame.readUInt16LE(10);
  if (kind === undefined) throw new FrameError(`${frame.readUInt16LE(8)} is no kind of frame`);
  if (headEnd > frame.length) throw new FrameError("a frame's head is longer than the frame");
  const body = frame.subarray(headEnd);
  const request = frame.readUInt32LE(4);
  if (headEnd === frameHeaderBytes) return { kind, request, head: null, body };
  try {
    const head: unknown = JSON.parse(frame.toString("utf8", frameHeaderBytes, headEnd));
    return { kind, request, head, body };
  } catch (error) {
    throw new FrameError("a frame's head is not JSON", { cause: error });
  }
};

// A frame from this size on is gathered in memory of its own, where tensors lie aligned.
const ownMemoryBytes = 64 * 1024;

/**
 * Cuts a byte stream into frames. A frame that lies whole in one chunk is a view of it; others are joined once.
 * @param bytesMax Largest frame that is taken.
 * @returns A function to feed; it throws FrameError and must not be fed again after that.
 */
export const readFrames = (bytesMax: number, onFrame: (frame: Frame) => void): ((chunk: Buffer) => void) => {
  /** What has come of a frame whose length is known or not yet; `null` between frames. */
  let gathered: Buffer | null = null;
  let held = 0;

  const lengthAt = (bytes: Buffer, at: number): number => {
    const length = 4 + bytes.readUInt32LE(at);
    if (length >= frameHeaderBytes && length <= bytesMax) return length;
    throw new FrameError(`a frame of ${length} bytes is out of bounds`);
  };
  const gather = (rest: Buffer): void => {
    const length = rest.length >= 4 ? lengthAt(rest, 0) : 4;
    gathered = length >= ownMemoryBytes ? Buffer.allocUnsafeSlow(length) : Buffer.allocUnsafe(length);
    held = rest.copy(gathered);
  };
  /** Fills the gathered frame; gives how much of the chunk it took. */
  const fill = (into: Buffer, chunk: Buffer): number => {
    const taken = chunk.copy(into, held);
    held += taken;
    if (held < into.length) return taken;
    gathered = null;
    // Four bytes are a length that was cut; every frame has more.
    if (into.length > 4) onFrame(decode(into));
    else gather(into);
    return taken;
  };
  return (chunk) => {
    let at = 0;
    while (at < chunk.length) {
      if (gathered !== null) {
        at += fill(gathered, at === 0 ? chunk : chunk.subarray(at));
        continue;
      }
      const left = chunk.length - at;
      const length = left >= 4 ? lengthAt(chunk, at) : Number.POSITIVE_INFINITY;
      if (left < length) return gather(chunk.subarray(at));
      onFrame(decode(chunk.subarray(at, at + length)));
      at += length;
    }
  };
};
