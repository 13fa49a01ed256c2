import type { Socket } from "node:net";
import { encodeFrame, type Frame, type FrameContent, type FrameKind, readFrames } from "./frame.ts";

/** Largest frame: the largest body that a gateway takes, and room for the head. */
const frameBytesMax: number = 272 * 1024 * 1024;
// Up to here one copy into one buffer is cheaper than handing the pieces to the kernel one by one.
const copyBytesMax = 256 * 1024;

/** A socket that carries frames. */
export interface FrameConnection {
  /** Sends with everything else of this turn of the event loop, in one write. */
  send(kind: FrameKind, request: number, content?: FrameContent): void;
  /** Bytes that were sent and are not yet with the kernel. */
  readonly waitingBytes: number;
  /** Sends what is left, then closes. */
  end(): void;
}

/** Who listens to a connection. */
export interface FrameListener {
  onFrame(frame: Frame): void;
  /** Called once, whichever side ended it and why ever. */
  onClose(): void;
}

/** Makes a socket carry frames. What breaks the protocol ends the connection. */
export const carryFrames = (socket: Socket, listener: FrameListener): FrameConnection => {
  let pieces: Uint8Array[] = [];
  let bytes = 0;
  let scheduled = false;
  const flush = (): void => {
    scheduled = false;
    if (bytes === 0 || socket.destroyed) return;
    const list = pieces;
    const total = bytes;
    pieces = [];
    bytes = 0;
    if (list.length === 1) socket.write(list[0] as Uint8Array);
    else if (total <= copyBytesMax) socket.write(Buffer.concat(list, total));
    else {
      socket.cork();
      for (const piece of list) socket.write(piece);
      socket.uncork();
    }
  };
  const feed = readFrames(frameBytesMax, (frame) => listener.onFrame(frame));
  socket.setNoDelay(true);
  socket.on("data", (chunk: Buffer) => {
    try {
      feed(chunk);
    } catch (error) {
      socket.destroy(error instanceof Error ? error : undefined);
    }
  });
  socket.on("error", () => {});
  socket.once("close", () => listener.onClose());
  return {
    send: (kind, request, content) => {
      if (socket.destroyed) return;
      for (const piece of encodeFrame(kind, request, content)) {
        pieces.push(piece);
        bytes += piece.byteLength;
      }
      if (scheduled) return;
      scheduled = true;
      setImmediate(flush);
    },
    get waitingBytes() {
      return bytes + socket.writableLength;
    },
    end: () => {
      flush();
      socket.end();
    },
  };
};
