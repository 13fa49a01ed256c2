import type { IncomingMessage, ServerResponse } from "node:http";

/** One request at the public port. */
export interface GatewayExchange {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly requestId: string;
}

/** A protocol of a later slice that the gateway speaks beside its own. */
export interface GatewayProtocol {
  /** How to answer a request that is this protocol's own, else `null`. The answer never throws. */
  find(incoming: IncomingMessage, path: string): ((exchange: GatewayExchange) => Promise<void>) | null;
}
