/** What a frame is. Gateway to replica: `infer`, `predict`, `cancel`. Replica to gateway: the others. */
export const frameKinds = {
  /** Body: JSON of the Open Inference Protocol, as the client sent it. */
  infer: 1,
  /** Head: content type and request id; body: as the client sent it. */
  predict: 2,
  /** The client is gone; an answer is no longer wanted. */
  cancel: 3,
  /** Body: JSON to hand to the client as it is. */
  answer: 16,
  /** Head: code, detail and fields of an error. */
  failure: 17,
  /** Head: rows and milliseconds of a run that was made. */
  batch: 18,
  /** First frame of a connection; head: what the replica serves. */
  hello: 19,
  /** No request should follow; those under way will be answered. */
  draining: 20,
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

/** Bytes before head and body: length of what follows the length, request, kind, length of the head. */
const frameHeaderBytes = 12;
const headBytesMax = 65_535;
const kindNames = new Map<number, FrameKind>(
  Object.entries(frameKinds).map(([name, number]) => [number, name as FrameKind]),
);
const noBytes = new Uint8Array(0);

/**
 * The pieces of a frame in order of sending; the body is not copied.
 * @throws RangeError when the head is larger than 65,535 bytes.
 */
export const encodeFrame = (kind: FrameKind, request: number, content: Partial<Frame> = {}): Uint8Array[] => {
  const { head = null, body = noBytes } = content;
  const text = head === null ? "" : JSON.stringify(head);
  const headBytes = text === "" ? 0 : Buffer.byteLength(text);
  if (headBytes > headBytesMax) throw new RangeError(`a frame's head holds at most ${headBytesMax} bytes`);
  const start = Buffer.allocUnsafe(frameHeaderBytes + headBytes);
  start.writeUInt32LE(frameHeaderBytes - 4 + headBytes + body.byteLength, 0);
  start.writeUInt32LE(request, 4);
  start.writeUInt16LE(frameKinds[kind], 8);
  start.writeUInt16LE(headBytes, 10);
  if (headBytes > 0) start.write(text, frameHeaderBytes);
  return body.byteLength > 0 ? [start, body] : [start];
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

/**
 * Cuts a byte stream into frames. A frame that lies whole in one chunk is a view of it; others are joined once.
 * @param bytesMax Largest frame that is taken.
 * @returns A function to feed; it throws FrameError and must not be fed again after that.
 */
export const readFrames = (bytesMax: number, onFrame: (frame: Frame) => void): ((chunk: Buffer) => void) => {
  let parts: Buffer[] = [];
  let held = 0;
  let wanted = 4;
  return (chunk) => {
    let rest = chunk;
    if (held > 0) {
      parts.push(chunk);
      held += chunk.length;
      if (held < wanted) return;
      rest = Buffer.concat(parts, held);
      parts = [];
      held = 0;
    }
    let at = 0;
    wanted = 4;
    while (rest.length - at >= 4) {
      const bytes = 4 + rest.readUInt32LE(at);
      if (bytes < frameHeaderBytes || bytes > bytesMax)
        throw new FrameError(`a frame of ${bytes} bytes is out of bounds`);
      if (rest.length - at < bytes) {
        wanted = bytes;
        break;
      }
      onFrame(decode(rest.subarray(at, at + bytes)));
      at += bytes;
    }
    if (at < rest.length) {
      parts = [rest.subarray(at)];
      held = rest.length - at;
    }
  };
};
