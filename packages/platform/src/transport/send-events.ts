import { once } from "node:events";
import type { ServerResponse } from "node:http";

/** Time between two comments that keep an idle stream open through proxies. */
const keepAliveMs = 15_000;

/**
 * Sends server-sent events, waiting whenever the client reads slower than events come.
 * @param format What an event is to say, given the event or the failure that ended the stream.
 */
export const sendEvents = async (
  response: ServerResponse,
  events: AsyncIterable<unknown>,
  onFailure: (error: unknown) => unknown,
): Promise<void> => {
  response.writeHead(200, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
    "x-accel-buffering": "no",
  });
  response.flushHeaders();
  const alive = setInterval(() => response.write(": alive\n\n"), keepAliveMs);
  const send = async (event: unknown): Promise<void> => {
    const id =
      typeof event === "object" && event !== null && "sequence" in event ? `id: ${String(event.sequence)}\n` : "";
    const more = response.write(`${id}data: ${JSON.stringify(event)}\n\n`);
    if (!more && !response.destroyed) await Promise.race([once(response, "drain"), once(response, "close")]);
  };
  try {
    for await (const event of events) {
      if (response.destroyed) break;
      await send(event);
    }
  } catch (error) {
    if (!response.destroyed) response.write(`event: error\ndata: ${JSON.stringify(onFailure(error))}\n\n`);
  } finally {
    clearInterval(alive);
    response.end();
  }
};
