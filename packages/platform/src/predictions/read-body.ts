import type { IncomingMessage } from "node:http";
import { PlatformError } from "../foundation/index.ts";

const tooLarge = (bytesMax: number): PlatformError =>
  new PlatformError("payload-too-large", `The body is larger than ${bytesMax} bytes. Send fewer inputs at once.`);

/**
 * Reads a body in the pieces in which it comes; they are handed on, never joined here.
 * @throws PlatformError `payload-too-large` as soon as it is known, `invalid-input` when the client ends too early.
 */
export const readBody = (incoming: IncomingMessage, bytesMax: number): Promise<Buffer[]> => {
  const declared = Number(incoming.headers["content-length"] ?? 0);
  if (declared > bytesMax) return Promise.reject(tooLarge(bytesMax));
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    let bytes = 0;
    incoming.on("data", (piece: Buffer) => {
      bytes += piece.length;
      if (bytes > bytesMax) {
        reject(tooLarge(bytesMax));
        incoming.removeAllListeners("data").resume();
      } else {
        pieces.push(piece);
      }
    });
    incoming.once("end", () => resolve(pieces));
    incoming.once("error", reject);
  });
};
