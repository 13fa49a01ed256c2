import type { ServerResponse } from "node:http";

/** A body with its type. */
export interface Content {
  readonly type: string;
  readonly body: Uint8Array | string;
  readonly headers?: Readonly<Record<string, string | number>>;
}

/** Sends a whole answer. */
export const sendBytes = (outgoing: ServerResponse, status: number, { type, body, headers }: Content): void => {
  outgoing.writeHead(status, {
    "content-type": type,
    "content-length": typeof body === "string" ? Buffer.byteLength(body) : body.byteLength,
    ...headers,
  });
  outgoing.end(body);
};

/** Sends a value as JSON. */
export const sendJson = (outgoing: ServerResponse, value: unknown, status = 200): void =>
  sendBytes(outgoing, status, { type: "application/json", body: JSON.stringify(value) });
