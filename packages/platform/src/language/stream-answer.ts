import type { ServerResponse } from "node:http";

/** A streamed answer on its way to a client. */
export interface StreamedAnswer extends Disposable {
  /** Whether the client has a part already. */
  readonly started: boolean;
  write(part: Uint8Array | string): void;
  end(last: Uint8Array | string): void;
}

const pingEveryMs = 15_000;
/** A client that reads so slowly that this much waits for it is let go; the model never waits for a reader. */
const waitingBytesMax = 4 * 1024 * 1024;

/** Sends server-sent events as they come, byte for byte, and a comment now and then so that nobody cuts an idle line. */
export const openStreamedAnswer = (outgoing: ServerResponse): StreamedAnswer => {
  let started = false;
  let ping: NodeJS.Timeout | undefined;
  const begin = (): void => {
    started = true;
    outgoing.writeHead(200, {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache",
      "x-accel-buffering": "no",
    });
    ping = setInterval(() => outgoing.write(":\n\n"), pingEveryMs);
  };
  return {
    get started() {
      return started;
    },
    write: (part) => {
      if (outgoing.destroyed) return;
      if (!started) begin();
      outgoing.write(part);
      if (outgoing.writableLength > waitingBytesMax) outgoing.destroy();
    },
    end: (last) => {
      clearInterval(ping);
      outgoing.end(last);
    },
    [Symbol.dispose]: () => clearInterval(ping),
  };
};
