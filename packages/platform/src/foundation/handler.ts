import type { BodyOf, Operation, OperationId, Operations, ParamsOf, QueryOf, ResponseOf } from "@modelyard/contracts";
import type { Readable } from "node:stream";
import type { Once } from "./once.ts";
import type { Principal } from "./principal.ts";

/** A file of a multipart request, in order of arrival; its stream must be read before the next file comes. */
export interface UploadedFile {
  /** Name as the client gave it, with folders; data only, never a path on this machine. */
  readonly name: string;
  readonly stream: Readable;
}

/** A parsed request of an operation. */
export interface HandlerRequest<O extends Operation> {
  /** Who asks; `null` only for public operations. */
  readonly principal: O["scope"] extends "public" ? Principal | null : Principal;
  readonly params: ParamsOf<O>;
  readonly query: QueryOf<O>;
  readonly body: BodyOf<O>;
  /** Files of a multipart request; empty otherwise. */
  readonly files: AsyncIterable<UploadedFile>;
  readonly requestId: string;
  /** The client's idempotency key, for operations that take one. */
  readonly once: Once | undefined;
  /** Sequence number of the last event the client has seen (events operations), 0 at first. */
  readonly lastEventId: number;
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal;
}

/** Bytes to send, with a name for saving. */
export interface BytesResult {
  readonly bytes: Readable | Uint8Array;
  readonly fileName: string;
  readonly length: number;
}

/** What a handler returns, by kind of the operation's response. */
export type HandlerResult<O extends Operation> = O["response"]["kind"] extends "none"
  ? undefined
  : O["response"]["kind"] extends "events"
    ? AsyncIterable<ResponseOf<O>>
    : O["response"]["kind"] extends "bytes"
      ? BytesResult
      : O["response"]["kind"] extends "text"
        ? string | Readable
        : ResponseOf<O>;

/** Answers one operation. */
export type Handler<O extends Operation> = (request: HandlerRequest<O>) => Promise<HandlerResult<O>>;

/** Handlers by operation id: what a slice's `routes.ts` returns. */
export type Routes<Ids extends OperationId> = { readonly [Id in Ids]: Handler<Operations[Id]> };
