import { Agent, type IncomingMessage, request, type ServerResponse } from "node:http";
import { PlatformError } from "../foundation/index.ts";
import { internalHeader } from "./routing-feed.ts";

const hopByHop = new Set([
  "connection",
  "keep-alive",
  "proxy-authorization",
  "te",
  "trailer",
  "upgrade",
  internalHeader,
]);

const forwarded = (headers: IncomingMessage["headers"]): IncomingMessage["headers"] =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !hopByHop.has(name)));

/** Passes requests to the control plane. */
export interface PassThrough extends Disposable {
  /**
   * Passes one request on.
   * @throws PlatformError `control-plane-unavailable` while the control plane is away and nothing was sent yet.
   */
  pass(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void>;
}

/** Passes requests to the control plane as they are, both bodies streamed. */
export const createPassThrough = (socketPath: string): PassThrough => {
  const agent = new Agent({ keepAlive: true, maxSockets: 256, maxFreeSockets: 16 });
  return {
    pass: (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const onward = request(
        { socketPath, agent, method: incoming.method, path: incoming.url, headers: forwarded(incoming.headers) },
        (response) => {
          outgoing.writeHead(response.statusCode ?? 502, forwarded(response.headers));
          outgoing.flushHeaders();
          response.pipe(outgoing);
          response.once("error", () => outgoing.destroy());
          response.once("close", resolve);
        },
      );
      onward.once("error", (cause) => {
        if (outgoing.headersSent) return outgoing.destroy();
        incoming.unpipe(onward);
        reject(
          new PlatformError("control-plane-unavailable", "The control plane is restarting. Try again in a second.", {
            retryAfterSeconds: 1,
            cause,
          }),
        );
      });
      outgoing.once("close", () => onward.destroy());
      incoming.pipe(onward);
      return promise;
    },
    [Symbol.dispose]: (): void => agent.destroy(),
  };
};
