import { request } from "node:http";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { parseRoutingSnapshot, type RoutingSnapshot } from "../deployments/index.ts";
import type { Logger } from "../foundation/index.ts";

/** Header that only members of the family send; the gateway takes it off every public request. */
export const internalHeader = "x-modelyard-internal";

/** What following the control plane needs. */
export interface FeedOptions {
  readonly socketPath: string;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly onSnapshot: (snapshot: RoutingSnapshot, text: string) => Promise<void>;
}

/** Whether the control plane answers. */
export interface RoutingFeed {
  readonly connected: boolean;
}

const reconnectMs = 100;

/** Follows the control plane's routes for as long as this process lives; a gap changes nothing that is known. */
export const followRoutes = (options: FeedOptions): RoutingFeed => {
  const state = { connected: false };
  const follow = async (): Promise<void> => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const asked = request(
      {
        socketPath: options.socketPath,
        path: "/internal/routing",
        headers: { [internalHeader]: "1" },
        signal: options.signal,
      },
      (response) => {
        if (response.statusCode !== 200) {
          response.resume();
          return reject(new Error(`the control plane answered ${response.statusCode ?? "nothing"}`));
        }
        state.connected = true;
        const lines = createInterface({ input: response });
        lines.on("line", (line) => {
          try {
            options.onSnapshot(parseRoutingSnapshot(line), line).catch(reject);
          } catch (error) {
            reject(error);
          }
        });
        // The interface passes the response's failures on.
        lines.once("error", reject);
        response.once("close", resolve);
      },
    );
    asked.once("error", reject);
    asked.end();
    try {
      await promise;
    } finally {
      state.connected = false;
      asked.destroy();
    }
  };
  const keepFollowing = async (): Promise<void> => {
    while (!options.signal.aborted) {
      try {
        await follow();
      } catch (error) {
        if (!options.signal.aborted) options.logger.debug({ error }, "the control plane is not reachable");
      }
      if (!options.signal.aborted) await delay(reconnectMs);
    }
  };
  void keepFollowing();
  return state;
};
